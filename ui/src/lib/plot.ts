// What an evidence plot shows: which lanes, how far each reaches, where the ticks stand.
import type { EvidenceRow } from './types';

export interface Series {
  name: 'speed_kn' | 'course_deg' | 'heading_deg' | 'altitude_ft';
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

function lineLane(rows: EvidenceRow[], name: 'speed_kn' | 'altitude_ft', limits: Lane['limits']): Lane {
  const values = rows.map((r) => r[name]).filter((v) => v != null);
  const top = Math.max(1, ...values, ...limits.map((l) => l.value));
  const by = step(top, 4);
  const high = Math.ceil(top / by - 1e-9) * by;
  const ticks = Array.from({ length: Math.round(high / by) + 1 }, (_, i) => Number((i * by).toPrecision(6)));
  const unit = name === 'speed_kn' ? 'kn' : 'ft';
  return { name, unit, round: false, low: 0, high, ticks, series: [{ name, look: 'first' }], limits };
}

/** The lanes that the rows have something for. Thresholds on speed are drawn into its lane. */
export function lanes(rows: EvidenceRow[], thresholds: Record<string, number>): Lane[] {
  const has = (name: Series['name']) => rows.some((r) => r[name] != null);
  const found: Lane[] = [];
  if (has('speed_kn')) {
    const limits = Object.entries(thresholds)
      .filter(([name]) => /^speed(_min|_max)?_kn$/.test(name))
      .map(([name, value]) => ({ name, value }));
    found.push(lineLane(rows, 'speed_kn', limits));
  }
  const compass = (['course_deg', 'heading_deg'] as const).filter(has);
  if (compass.length) {
    const series = compass.map((name): Series => ({ name, look: name === 'course_deg' ? 'first' : 'second' }));
    const ticks = [0, 90, 180, 270, 360];
    found.push({ name: 'compass', unit: '°', round: true, low: 0, high: 360, ticks, series, limits: [] });
  }
  if (has('altitude_ft')) found.push(lineLane(rows, 'altitude_ft', []));
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
