// What the timeline shows: which part of time, and what was said and found in it, a lane for each sort.
import { standing } from './statement';
import type { Finding, Item } from './types';

const HOUR_US = 3600e6;
export const SPANS_US = [HOUR_US / 4, HOUR_US, 6 * HOUR_US, 24 * HOUR_US, 7 * 24 * HOUR_US, 30 * 24 * HOUR_US];
const LEAD = 0.03; // of the window: room to the right of now
const BUCKET_PX = 9; // marks nearer than this are drawn as one, with their number

export type LaneName = 'alerts' | 'reports' | 'requests' | 'findings';
export const LANES: LaneName[] = ['alerts', 'reports', 'requests', 'findings'];

export interface Mark {
  lane: LaneName;
  atUs: number; // when it came to be known here
  fromUs: number | null; // what it tells of, where that lasts
  toUs: number | null;
  own: boolean;
  state: string;
  item: Item | null;
  finding: Finding | null;
}

/** A piece of time, from and to. */
export interface During {
  fromUs: number;
  toUs: number;
}

export class TimeWindow {
  spanUs = $state(6 * HOUR_US);
  endUs = $state<number | null>(null); // null: it goes along with now

  /** From, to; `nowUs` is the live time. */
  of(nowUs: number): During {
    const toUs = this.endUs ?? nowUs + this.spanUs * LEAD;
    return { fromUs: toUs - this.spanUs, toUs };
  }

  /** The next wider (1) or narrower (-1) span, about a time that stays where it is. */
  zoom(by: number, aboutUs: number, nowUs: number): void {
    const at = SPANS_US.findIndex((span) => span >= this.spanUs - 1);
    const next = SPANS_US[Math.max(0, Math.min(SPANS_US.length - 1, at + by))]!;
    const { fromUs } = this.of(nowUs);
    const share = (aboutUs - fromUs) / this.spanUs;
    this.spanUs = next;
    this.#end(aboutUs + (1 - share) * next, nowUs);
  }

  /** Another span, about a time that stays in sight. */
  span(us: number, aboutUs: number, nowUs: number): void {
    this.spanUs = us;
    this.endUs = null;
    this.keep(aboutUs, nowUs);
  }

  /** Along by a share of the window. */
  pan(share: number, nowUs: number): void {
    this.#end(this.of(nowUs).toUs + share * this.spanUs, nowUs);
  }

  /** Keep a time in sight. */
  keep(us: number, nowUs: number): void {
    const { fromUs, toUs } = this.of(nowUs);
    if (us < fromUs || us > toUs) this.#end(us + this.spanUs / 2, nowUs);
  }

  #end(us: number, nowUs: number): void {
    this.endUs = us >= nowUs ? null : us;
  }
}

function laneOf(kind: string): LaneName {
  return kind === 'alert' ? 'alerts' : kind === 'report' ? 'reports' : 'requests';
}

function us(text: unknown): number | null {
  const ms = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : ms * 1000;
}

/** Everything that has a place in time, oldest first. Signed findings are there as their alerts. */
export function marks(items: Item[], findings: Finding[]): Mark[] {
  const said = items
    .filter((item) => item.received_at_us !== null)
    .map((item): Mark => ({
      lane: laneOf(item.kind),
      atUs: item.received_at_us!,
      fromUs: us(item.slots['body.start']),
      toUs: us(item.slots['body.end']),
      own: item.own,
      state: standing(item),
      item,
      finding: null,
    }));
  const found = findings
    .filter((finding) => !finding.signed)
    .map((finding): Mark => ({
      lane: 'findings',
      atUs: finding.found_us || finding.start_us,
      fromUs: finding.start_us,
      toUs: finding.end_us,
      own: true,
      state: finding.state,
      item: null,
      finding,
    }));
  return [...said, ...found].sort((a, b) => a.atUs - b.atUs);
}

/** Marks that fall together on the screen, by lane and by whether they are ours. */
export interface Cluster {
  lane: LaneName;
  x: number;
  own: boolean;
  marks: Mark[];
}

export function clusters(all: Mark[], { fromUs, toUs }: During, widthPx: number): Cluster[] {
  const found = new Map<string, Cluster>();
  for (const mark of all) {
    if (mark.atUs < fromUs || mark.atUs > toUs) continue;
    const x = ((mark.atUs - fromUs) / (toUs - fromUs)) * widthPx;
    const key = `${mark.lane} ${mark.own} ${Math.floor(x / BUCKET_PX)}`;
    const there = found.get(key);
    if (there) there.marks.push(mark);
    else found.set(key, { lane: mark.lane, x, own: mark.own, marks: [mark] });
  }
  return [...found.values()];
}

/** `18:30`, `18:30:15`, `2026-11-21 18:30`: a time typed in, on the day of `nearUs` where it names none. */
export function typedTime(text: string, nearUs: number, local: boolean): number | null {
  const found = /^(?:(\d{4})-(\d\d)-(\d\d)[ T])?(\d{1,2}):(\d\d)(?::(\d\d))?\s*Z?$/i.exec(text.trim());
  if (!found) return null;
  const near = new Date(nearUs / 1000);
  const [year, month, day] = found[1]
    ? [Number(found[1]), Number(found[2]) - 1, Number(found[3])]
    : local
      ? [near.getFullYear(), near.getMonth(), near.getDate()]
      : [near.getUTCFullYear(), near.getUTCMonth(), near.getUTCDate()];
  const [hour, minute, second] = [Number(found[4]), Number(found[5]), Number(found[6] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59 || month > 11 || day < 1 || day > 31) return null;
  const zulu = !local || /z$/i.test(text.trim());
  const ms = zulu
    ? Date.UTC(year, month, day, hour, minute, second)
    : new Date(year, month, day, hour, minute, second).getTime();
  return ms * 1000;
}
