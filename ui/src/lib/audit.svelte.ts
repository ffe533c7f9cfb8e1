// What the audit page looks at: which entries, or what a partner was given. It stands in the page's address.
import { instant, parseIso } from './format';
import { t, told } from './text.svelte';
import type { AuditEntry, AuditQuery } from './types';

export const EVERYTHING: AuditQuery = { view: 'log', did: '', by: '', partner: '', since: '', until: '', before: '' };

/** What people choose among; a * stands for all that begin so. */
export const ACTS = [
  'sign', 'withdraw', 'release', 'import', 'acknowledge', 'take', 'let-go', 'due', 'expire', 'keep-finding',
  'refuse', 'policy-*', 'partner-*', 'reader-*', 'keys-rotate', 'sign-*', 'account-added', 'zones-*', 'feed-*',
  'verify', 'export-*',
] as const;

const PARTS = { did: 'did', by: 'who', partner: 'partner', since: 'since', until: 'until', before: 'before' } as const;

export function toParts(query: AuditQuery, parts: URLSearchParams): void {
  if (query.view === 'released') parts.set('audit', 'released');
  for (const [field, name] of Object.entries(PARTS) as [keyof typeof PARTS, string][]) {
    if (query[field]) parts.set(name, query[field]);
  }
}

export function fromParts(parts: URLSearchParams): AuditQuery {
  const read = (name: string) => (parts.get(name) ?? '').slice(0, 120);
  return {
    view: parts.get('audit') === 'released' ? 'released' : 'log',
    did: read('did'), by: read('who'), partner: read('partner'), since: read('since'), until: read('until'),
    before: read('before'),
  };
}

/** Microseconds of what somebody typed (2026-11-21, 2026-11-21 20:15, an RFC 3339 time), in UTC; null: none. */
export function typedUs(text: string): number | null {
  const found = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d(?:\.\d+)?)?)?Z?$/.exec(text.trim());
  return found ? parseIso(`${found[1]}T${found[2] ?? '00:00'}${found[3] ?? ':00'}Z`) : null;
}

/** Whether a field holds no time although something is in it. */
export const mistyped = (text: string) => text.trim() !== '' && typedUs(text) === null;

/** One value of an entry as people read it. */
function plain(value: unknown): string {
  if (typeof value === 'boolean') return t(value ? 'yes' : 'no');
  if (Array.isArray(value)) return value.map(plain).join(', ');
  if (value && typeof value === 'object') {
    return Object.entries(value).map(([name, of]) => `${word(name)}: ${plain(of)}`).join('; ');
  }
  return String(value ?? '');
}

function word(name: string): string {
  return told('audit.what', name, told('change', name));
}

/** What else an entry says, as name and value; a preview of a policy with its figures by partner. */
export function details({ what, statements }: AuditEntry): [string, string][] {
  const shown = (name: string) => name !== 'preview' && !(name === 'kind' && statements.length);
  const said = Object.entries(what).filter(([name, value]) => value !== '' && !(Array.isArray(value) && !value.length) && shown(name));
  const preview = what.preview as { statements?: number; changes?: Record<string, unknown> } | undefined;
  const rows: [string, string][] = said.map(([name, value]) => [word(name), plain(value)]);
  if (preview?.changes) {
    const partners = Object.entries(preview.changes).map(([name, change]) => `${name.toUpperCase()}: ${plain(change) || '–'}`);
    rows.push([t('audit.preview', { count: preview.statements ?? 0 }), partners.join(' · ')]);
  }
  return rows;
}

export const at = (text: string, zone: 'utc' | 'local') => instant(parseIso(text) ?? 0, zone);
