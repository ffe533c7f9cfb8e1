// What a hand-over sheet holds: a still of what this person's picture has, of one piece of time.
import { extent } from './format';
import { strictest } from './marking';
import { asks, standing } from './statement';
import type { Feed, Finding, Item, Link, Notice, Picture, Released, User } from './types';

/** The node lists this many statements at most (`STATEMENTS_SHOWN` in desk/seat.py). */
const LISTED_MOST = 500;

/** The map as it was drawn, on paper's colours. */
export interface Still {
  canvas: HTMLCanvasElement;
  box: [west: number, south: number, east: number, north: number];
  layers: string[];
  craft: { sea: number; air: number };
  scale: { px: number; nm: number }; // a length on the canvas, and what it is at the middle of the map
}

export interface Given {
  item: Item;
  acts: Released[]; // of the period, oldest first
}

export interface Answered {
  request: Item;
  consent: Item | null;
}

export interface Sheet {
  picture: Picture;
  by: User;
  madeUs: number; // by the realm's clock
  wallUs: number;
  fromUs: number;
  down: boolean; // the line was down: all of this is as it was then
  cut: boolean; // there are older statements, which the node does not list
  open: Item[];
  came: Item[]; // in the period, and neither open nor withdrawn
  requests: Answered[];
  given: Given[];
  withdrawn: Item[];
  findings: Finding[];
  notices: Notice[];
  links: Link[];
  feeds: Feed[];
  drawn: Item[]; // on the map
}

export interface Holdings {
  picture: Picture;
  items: Item[];
  findings: Finding[];
  notices: Notice[];
  links: Link[];
}

export function gather(
  held: Holdings, by: User, madeUs: number, wallUs: number, fromUs: number, down: boolean, still: Still | null,
): Sheet {
  const { items, picture } = held;
  const within = (us: number | null) => us !== null && us >= fromUs && us <= madeUs;
  const told = items.filter((item) => item.kind === 'alert' || item.kind === 'report');
  const open = told.filter(isOpen).sort((a, b) => urgency(a, madeUs) - urgency(b, madeUs));
  const kept = new Set(open);
  return {
    picture, by, madeUs, wallUs, fromUs, down, open,
    cut: items.length >= LISTED_MOST,
    came: told.filter((item) => !kept.has(item) && item.state !== 'withdrawn' && within(item.received_at_us)),
    requests: items.filter((item) => item.kind === 'request').map((request) => answered(request, items))
      .filter(({ request, consent }) => (consent ? within(consent.received_at_us) : request.state === 'standing')),
    given: acts(items, within, (act) => act.op !== 'withdraw'),
    withdrawn: items.filter((item) => item.state === 'withdrawn' && (within(item.received_at_us) || asks(item) || taken(item, within))),
    findings: held.findings.filter((finding) => !finding.signed && finding.state === 'open'),
    notices: held.notices,
    links: held.links,
    feeds: picture.feeds,
    drawn: still?.layers.includes('statements') ? items.filter((item) => item.state !== 'withdrawn' && inside(item, still.box)) : [],
  };
}

/** What whoever comes next has upon them. */
function isOpen(item: Item): boolean {
  if (item.state === 'withdrawn') return false;
  const { owner, due_us } = item.handling;
  const stands = standing(item);
  return stands === 'open' || asks(item) || (stands === 'said' && (owner !== null || due_us !== null));
}

/** Late first, then by when it is due; then what nobody has seen; then the newest. */
function urgency(item: Item, nowUs: number): number {
  const due = item.handling.due_us;
  if (due !== null) return due - nowUs - (due < nowUs ? 2e18 : 1e18);
  return (asks(item) ? 0 : 1e17) - (item.received_at_us ?? 0);
}

function answered(request: Item, items: Item[]): Answered {
  const answers = items.filter((i) => i.kind === 'consent' && i.slots['body.request'] === request.jti);
  return { request, consent: answers.find((i) => i.state === 'standing') ?? null };
}

const taken = (item: Item, within: (us: number) => boolean) =>
  item.released.some((act) => act.op === 'withdraw' && within(act.at_us));

function acts(items: Item[], within: (us: number) => boolean, wanted: (act: Released) => boolean): Given[] {
  return items
    .map((item) => ({ item, acts: item.released.filter((act) => wanted(act) && within(act.at_us)) }))
    .filter((one) => one.acts.length);
}

function inside(item: Item, [west, south, east, north]: Still['box']): boolean {
  const box = item.footprint && extent(item.footprint);
  return !!box && box[0] <= east && box[2] >= west && box[1] <= north && box[3] >= south;
}

/** The strictest of what the sheet holds. What was purged tells its marking no more: then of all there is. */
export function markingOf(sheet: Sheet): string {
  const items = [
    ...sheet.open, ...sheet.came, ...sheet.withdrawn, ...sheet.drawn, ...sheet.given.map((one) => one.item),
    ...sheet.requests.flatMap(({ request, consent }) => (consent ? [request, consent] : [request])),
  ];
  const unknown = sheet.notices.length > 0 || items.some((item) => item.marking === null);
  return strictest([
    sheet.picture.default_marking,
    ...(unknown ? [sheet.picture.marking] : []),
    ...items.flatMap((item) => item.marking ?? []),
    ...sheet.findings.map((finding) => finding.marking),
    ...sheet.feeds.map((feed) => feed.marking),
  ]);
}
