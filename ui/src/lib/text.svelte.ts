// The page's words. One file a language; a missing word fails a test.
import en from '../strings/en.json';
import sv from '../strings/sv.json';
import type { Lang, Text } from './types';

export type Key = keyof typeof en;

const TABLES: Record<Lang, Record<Key, string>> = { en, sv };
const KEPT = 'samsyn.language';

class Language {
  now = $state<Lang>(first());

  set(lang: Lang): void {
    this.now = lang;
    localStorage.setItem(KEPT, lang);
    document.documentElement.lang = lang;
  }

  toggle(): void {
    this.set(this.now === 'en' ? 'sv' : 'en');
  }
}

function first(): Lang {
  const kept = localStorage.getItem(KEPT) ?? navigator.language.slice(0, 2);
  const lang = kept === 'sv' ? 'sv' : 'en';
  document.documentElement.lang = lang;
  return lang;
}

export const language = new Language();

/** The words for `key` in the language chosen; `{name}` is replaced by `values.name`. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return TABLES[language.now][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** The words for a key made at run time (a state, a rung, a unit), or `otherwise` where there is none. */
export function told(group: string, name: string, otherwise = name): string {
  const table: Record<string, string> = TABLES[language.now];
  return table[`${group}.${name}`] ?? otherwise;
}

/** The node's own words, which come in both languages. */
export function said(text: Partial<Text> | null | undefined): string {
  return text?.[language.now] ?? text?.en ?? '';
}
