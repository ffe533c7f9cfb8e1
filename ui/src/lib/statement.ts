// What the page reads out of a statement's slots; a slot that is not held gives null or nothing.
import { parseIso } from './format';
import { told } from './text.svelte';
import type { Detector, EvidenceRow, Finding, Item, Lang, Text } from './types';
import type { Filter } from './view';

export const PLACE_RUNGS = ['region', 'area', 'spot', 'exact'] as const;
export const TIME_RUNGS = ['day', 'hour', 'exact'] as const;

export function slotText(item: Pick<Item, 'slots'>, name: string): string {
  const value = item.slots[name];
  if (Array.isArray(value)) return value.filter((v) => typeof v === 'string').join(', ');
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function figures(item: Item, name: string): Record<string, number> {
  const value = item.slots[name];
  const pairs = value && typeof value === 'object' ? Object.entries(value) : [];
  return Object.fromEntries(pairs.filter(([, v]) => typeof v === 'number')) as Record<string, number>;
}

export function evidence(item: Item): EvidenceRow[] {
  const rows = item.slots['body.evidence'];
  return Array.isArray(rows) ? rows.filter(isRow).sort((a, b) => a.time_us - b.time_us) : [];
}

function isRow(row: unknown): row is EvidenceRow {
  return typeof (row as EvidenceRow | null)?.time_us === 'number';
}

/** Its title; where that is a detector's own, in the reader's language. Empty when none is held. */
export function titleOf(item: Item, detectors: Record<string, Detector>, lang: Lang): string {
  const title = slotText(item, 'title') || slotText(item, 'summary');
  const own = detectors[slotText(item, 'body.detector')]?.title;
  return own && title.startsWith(`${own.en}: `) ? own[lang] + title.slice(own.en.length) : title;
}

/** What could explain a situation away, as named in it by id or in English, told in the reader's language. */
export function knownErrors(named: unknown, detector: Detector | undefined): Partial<Text>[] {
  const words = Array.isArray(named) ? named.filter((e) => typeof e === 'string') : [];
  if (!words.length) return detector?.known_errors ?? [];
  return words.map((w) => detector?.known_errors.find((e) => e.id === w || e.en === w) ?? { en: w });
}

/** Why a situation ended, told by id where we know the detector. */
export function closedBecause(named: string, detector: Detector | undefined): Partial<Text> {
  const known = Object.entries(detector?.closed ?? {}).find(([id, text]) => id === named || text.en === named);
  return known?.[1] ?? { en: named };
}

/** What an inbox row and the map colour by. An alert is open until it says closed. */
export type Standing = 'open' | 'closed' | 'said' | 'withdrawn';

export function standing(item: Pick<Item, 'state' | 'kind' | 'slots'>): Standing {
  if (item.state === 'withdrawn') return 'withdrawn';
  if (item.kind !== 'alert') return 'said';
  return item.slots['body.state'] === 'closed' ? 'closed' : 'open';
}

/**
 * Whether somebody must still look at it: every alert, and all that partners say, until it is acknowledged,
 * also when it has closed or was withdrawn meanwhile.
 */
export function asks(item: Item): boolean {
  return !item.handling.acknowledged_by && (item.kind === 'alert' || !item.own);
}

export interface HeldTime {
  rung: (typeof TIME_RUNGS)[number] | 'none';
  text: string;
  us: number | null;
}

/** The time at the finest rung held: never made to look finer than it is. */
export function heldTime(item: Item): HeldTime {
  for (const rung of [...TIME_RUNGS].reverse()) {
    const text = slotText(item, `time.${rung}`);
    if (text) return { rung, text, us: rung === 'exact' ? parseIso(text) : null };
  }
  return { rung: 'none', text: '', us: null };
}

/** Everything in a statement that a search should find. */
export function haystack(item: Item): string {
  const words = ['title', 'summary', 'text', 'body.craft', 'body.detector', 'body.zone', 'author', 'tags'];
  const said = words.map((name) => slotText(item, name));
  return [item.kind, item.iss, item.marking, item.state, standing(item), ...said].join(' ').toLowerCase();
}

/** Its craft, both of a pair; else its zone or cell. */
export function aboutWhom(finding: Finding): string {
  const craft = [finding.craft, finding.other].filter(Boolean).join(', ');
  if (craft) return craft;
  const place = finding.zone ?? finding.cell ?? '';
  return finding.group ? `${place}, ${told('group', finding.group)}` : place;
}

/** The findings that there were at a time, as far as it can be told: what was measured later is left out. */
export function findingsAt(findings: Finding[], us: number): Finding[] {
  return findings
    .filter((finding) => (finding.found_us || finding.start_us) <= us)
    .map((finding) => {
      if (finding.updated_us <= us) return finding;
      const ended = finding.end_us !== null && finding.end_us <= us;
      const evidence = finding.evidence.filter((row) => row.time_us <= us);
      const last = evidence.at(-1);
      const open = ended ? {} : { state: 'open' as const, end_us: null, closed_because: null };
      const updated_us = last?.time_us ?? (finding.found_us || finding.start_us);
      return { ...finding, ...open, updated_us, evidence, lat: last?.lat ?? null, lon: last?.lon ?? null, measured: {} };
    });
}

/** A finding in the shape that the shared parts of the detail panel take. */
export function findingRows(finding: Finding): EvidenceRow[] {
  return finding.evidence.filter(isRow).sort((a, b) => a.time_us - b.time_us);
}

/** Whether a filter of the inbox lets an item through; `user` looks. */
export function passes(item: Item, filter: Filter, user: string | undefined): boolean {
  switch (filter) {
    case 'todo':
      return asks(item);
    case 'mine':
      return item.handling.owner === user;
    case 'open':
      return standing(item) === 'open';
    case 'own':
      return item.own;
    case 'partners':
      return !item.own;
    case 'withdrawn':
      return item.state === 'withdrawn';
    default:
      return true;
  }
}
