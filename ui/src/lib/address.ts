// The view in the page's address: to keep it, to go back to it, to send it to a colleague at the same node.
//
//     #map=7.20/55.310/15.480&tab=findings&show=open&find=drift&off=air&open=statement:<id>
//     #page=audit&did=policy-*&partner=fi&since=2026-11-01
//     #at=2026-11-21T20:15:03Z&as=fi      as fi had been given it at that time
//
// It stays in the browser: what stands behind # is never sent anywhere.
import { EVERYTHING, fromParts, toParts } from './audit.svelte';
import { parseIso } from './format';
import type { During } from './timeline.svelte';
import type { AuditQuery } from './types';
import { FILTERS, PAGES, TABS, type Filter, type Page, type Shown, type Tab } from './view';

export interface MapPlace {
  zoom: number;
  lat: number;
  lon: number;
}

export interface View {
  map: MapPlace | null;
  tab: Tab;
  filter: Filter;
  search: string;
  layers: Record<string, boolean>;
  shown: Shown | null;
  atUs: number | null; // null: live
  reader: string | null; // whose picture; null: ours
  page: Page;
  audit: AuditQuery;
  during: During | null; // the inbox is narrowed to what came then
}

/** What differs from a page just opened; `usual` are the layers of such a page. */
export function toAddress(view: View, usual: Record<string, boolean>): string {
  const parts = new URLSearchParams();
  const { map, tab, filter, search, layers, shown, atUs, reader, during, page, audit } = view;
  if (map) parts.set('map', `${map.zoom.toFixed(2)}/${map.lat.toFixed(3)}/${map.lon.toFixed(3)}`);
  if (tab !== 'inbox') parts.set('tab', tab);
  if (filter !== 'all') parts.set('show', filter);
  if (search.trim()) parts.set('find', search.trim());
  const [on, off] = [true, false].map((want) =>
    Object.keys(usual).filter((name) => layers[name] === want && usual[name] !== want),
  );
  if (on?.length) parts.set('on', on.join(' '));
  if (off?.length) parts.set('off', off.join(' '));
  if (shown?.what === 'statement') parts.set('open', `statement:${shown.jti}`);
  else if (shown?.what === 'finding') parts.set('open', `finding:${shown.key}`);
  else if (shown?.what === 'craft') parts.set('open', `craft:${shown.id.domain}:${shown.id.number}`);
  if (atUs !== null) parts.set('at', iso(atUs));
  if (during) parts.set('during', `${iso(during.fromUs)}/${iso(during.toUs)}`);
  if (reader) parts.set('as', reader);
  if (page !== 'map') parts.set('page', page);
  if (page === 'audit') toParts(audit, parts);
  const text = parts.toString().replace(/%2F/g, '/').replace(/%3A/g, ':');
  return text ? `#${text}` : '';
}

/** The view that an address asks for; what it does not name, or names wrongly, is as usual. */
export function fromAddress(hash: string, usual: Record<string, boolean>): View {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const layers = { ...usual };
  for (const [key, value] of [['on', true], ['off', false]] as const) {
    for (const name of (parts.get(key) ?? '').split(' ')) if (name in layers) layers[name] = value;
  }
  return {
    map: place(parts.get('map')),
    tab: among(TABS, parts.get('tab')),
    filter: among(FILTERS, parts.get('show')),
    search: parts.get('find') ?? '',
    layers,
    shown: shownOf(parts.get('open')),
    atUs: parseIso(parts.get('at')),
    reader: parts.get('as') || null,
    page: among(PAGES, parts.get('page')),
    audit: parts.get('page') === 'audit' ? fromParts(parts) : EVERYTHING,
    during: duringOf(parts.get('during')),
  };
}

export const iso = (us: number) => new Date(us / 1000).toISOString().replace('.000', '');

function duringOf(text: string | null): During | null {
  const [fromUs, toUs] = (text ?? '').split('/').map(parseIso);
  return fromUs != null && toUs != null && fromUs < toUs ? { fromUs, toUs } : null;
}

function among<T extends string>(all: T[], word: string | null): T {
  return all.find((one) => one === word) ?? all[0]!;
}

function place(text: string | null): MapPlace | null {
  const [zoom, lat, lon] = (text ?? '').split('/').map((part) => (part ? Number(part) : NaN));
  const fits = zoom! >= 0 && zoom! <= 24 && Math.abs(lat!) <= 90 && Math.abs(lon!) <= 180;
  return fits ? { zoom: zoom!, lat: lat!, lon: lon! } : null;
}

function shownOf(text: string | null): Shown | null {
  const [what, ...rest] = (text ?? '').split(':');
  const name = rest.join(':');
  if (what === 'statement' && name) return { what, jti: name };
  if (what === 'finding' && name) return { what, key: name };
  const [domain, number] = rest.map(Number);
  if (what === 'craft' && Number.isInteger(domain) && Number.isInteger(number)) {
    return { what, id: { domain: domain!, number: number! } };
  }
  return null;
}
