// The sheet as one file that needs nothing else: no script, no font, nothing that is fetched.
import looks from '../panels/sheet.css?inline';
import { iso } from './address';
import type { Sheet } from './sheet';
import { t } from './text.svelte';

// What the file allows itself when it is opened: its own looks, its own picture.
const POLICY = "default-src 'none'; style-src data:; img-src data:; base-uri 'none'; form-action 'none'";
const GROUND = 'body { margin: 0; background: #dfe5e9; } .sheet { margin: 8mm auto; } * { box-sizing: border-box; } @media print { .sheet { margin: 0; } }';

export function save(paper: HTMLElement, sheet: Sheet, marking: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([page(paper, sheet, marking)], { type: 'text/html;charset=utf-8' }));
  link.download = fileName(sheet, marking);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may still be writing it
}

function fileName({ picture, madeUs }: Sheet, marking: string): string {
  const exercise = picture.realm === 'exercise' ? 'EXERCISE-' : '';
  const at = iso(madeUs).slice(0, 16).replace(/:/g, '');
  return `${exercise}${picture.node}-hand-over-${at}Z-${marking}.html`.replace(/[^\w.+-]/g, '-');
}

/** Made of nodes, not of text: what partners wrote stays text. */
function page(paper: HTMLElement, sheet: Sheet, marking: string): string {
  const made = document.implementation.createHTMLDocument(`${marking} · ${sheet.picture.node.toUpperCase()} · ${t('sheet.title')}`);
  made.documentElement.lang = paper.lang;
  const put = (name: string, given: Record<string, string>) => {
    const node = made.createElement(name);
    for (const [key, value] of Object.entries(given)) node.setAttribute(key, value);
    made.head.append(node);
  };
  made.head.prepend(Object.assign(made.createElement('meta'), { httpEquiv: 'Content-Security-Policy', content: POLICY }));
  put('meta', { charset: 'utf-8' });
  put('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' });
  put('meta', { name: 'referrer', content: 'no-referrer' });
  put('link', { rel: 'stylesheet', href: `data:text/css;charset=utf-8,${encodeURIComponent(GROUND + looks)}` });
  const copy = made.importNode(paper, true);
  for (const field of copy.querySelectorAll('textarea')) field.remove();
  made.body.append(copy);
  return `<!doctype html>\n${made.documentElement.outerHTML}\n`;
}
