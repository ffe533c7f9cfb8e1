// What an evidence plot shows: which lanes, how far each reaches, where the ticks stand.
import { measure, thresholdsFor } from './measures';
import type { EvidenceRow } from './types';

export interface Series {
  name: string;
  look: 'first' | 'second';
}

export interface Lane {
  name: string;
  unit: string;
  round: boolean; // degrees of the compass: dots, for a line would cross at north
  low: number;
  high: number;
  ticks: number[];
  series: Series[];
  limits: { name: string; value: number }[];
}

/** A round step that parts `reach` into at most `most` pieces. */
function step(reach: number, most: number): number {
  const rough = reach / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough - 1e-9)!;
}

/** A row's figure by its name; what is no figure is none. */
export function value(row: EvidenceRow, name: string): number | null {
  const found = row[name];
  return typeof found === 'number' ? found : null;
}

const LIFTED = 0.6; // of the highest value
const LEVELS_FT = 400; // a lane of levels is at least so tall: nobody flies more evenly

function lineLane(rows: EvidenceRow[], names: string[], unit: string, limits: Lane['limits']): Lane {
  const values = rows.flatMap((r) => names.map((name) => value(r, name))).filter((v) => v !== null);
  const top = Math.max(1, ...values, ...limits.map((l) => l.value));
  const bottom = Math.min(top, ...values);
  // levels far above the ground: what tells is the difference, not the height
  const lifted = names[0] === 'altitude_ft' && bottom > LIFTED * top;
  const by = step(Math.max(lifted ? top - bottom : top, lifted ? LEVELS_FT : 0), 4);
  const low = lifted ? Math.floor(bottom / by) * by : 0;
  const high = Math.max(low + by, Math.ceil(top / by - 1e-9) * by);
  const ticks = Array.from({ length: Math.round((high - low) / by) + 1 }, (_, i) => Number((low + i * by).toPrecision(6)));
  const series = names.map((name, i): Series => ({ name, look: i ? 'second' : 'first' }));
  return { name: names[0]!, unit, round: false, low, high, ticks, series, limits };
}

const PLACES = new Set(['time_us', 'lat', 'lon', 'other_lat', 'other_lon']);
const OWN = new Set(['speed_kn', 'course_deg', 'heading_deg', 'altitude_ft', 'other_altitude_ft']);
const MORE = 4; // lanes of what else was measured
const CODES: Record<string, string> = { nav_status: 'status', emergency: 'emergency', squawk: 'squawk' }; // and whose words they are

export interface Coded {
  name: string;
  words: string; // which list of words tells what a value means
  changes: { us: number; value: number }[];
}

/** What is a code and no quantity: when it changed, and to what. */
export function coded(rows: EvidenceRow[]): Coded[] {
  return Object.entries(CODES).flatMap(([name, words]) => {
    const changes: Coded['changes'] = [];
    for (const row of rows) {
      const at = value(row, name);
      if (at !== null && at !== changes.at(-1)?.value) changes.push({ us: row.time_us, value: at });
    }
    return changes.length ? [{ name, words, changes }] : [];
  });
}

/** The lanes that the rows have something for. Thresholds on speed are drawn into its lane. */
export function lanes(rows: EvidenceRow[], thresholds: Record<string, number>): Lane[] {
  const has = (name: string) => rows.some((r) => value(r, name) !== null);
  const within = (name: string) => thresholdsFor(name, thresholds).map(([of, limit]) => ({ name: of, value: limit }));
  const found: Lane[] = [];
  if (has('speed_kn')) {
    const limits = Object.entries(thresholds)
      .filter(([name]) => /^speed(_min|_max)?_kn$/.test(name))
      .map(([name, value]) => ({ name, value }));
    found.push(lineLane(rows, ['speed_kn'], 'kn', limits));
  }
  const compass = (['course_deg', 'heading_deg'] as const).filter(has);
  if (compass.length) {
    const series = compass.map((name): Series => ({ name, look: name === 'course_deg' ? 'first' : 'second' }));
    const ticks = [0, 90, 180, 270, 360];
    found.push({ name: 'compass', unit: '°', round: true, low: 0, high: 360, ticks, series, limits: [] });
  }
  const levels = ['altitude_ft', 'other_altitude_ft'].filter(has);
  if (levels.length) found.push(lineLane(rows, levels, 'ft', []));
  const more = [...new Set(rows.flatMap(Object.keys))].filter((name) => !OWN.has(name) && !PLACES.has(name) && !(name in CODES) && has(name));
  for (const name of more.slice(0, MORE)) found.push(lineLane(rows, [name], measure(name, 0).unit, within(name)));
  return found;
}

const STEPS_S = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Whole times inside a span, at most `most` of them. */
export function timeTicks(fromUs: number, toUs: number, most: number): number[] {
  const by = (STEPS_S.find((s) => (toUs - fromUs) / (s * 1e6) <= most) ?? STEPS_S.at(-1)!) * 1e6;
  const found: number[] = [];
  for (let us = Math.ceil(fromUs / by) * by; us <= toUs; us += by) found.push(us);
  return found;
}

/** The index of the row nearest in time. */
export function cursorRow(rows: EvidenceRow[], us: number): number {
  let best = 0;
  rows.forEach((row, i) => {
    if (Math.abs(row.time_us - us) < Math.abs(rows[best]!.time_us - us)) best = i;
  });
  return best;
}
