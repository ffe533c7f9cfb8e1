// Names of measured values and thresholds carry their unit (`speed_max_kn`): read it off them.
import { count, figure } from './format';
import { told } from './text.svelte';

const UNITS: Record<string, string> = { kn: 'kn', nm: 'NM', deg: '°', m: 'm', ft: 'ft', fpm: 'ft/min', s: 's' };
const SIGNS: Record<string, string> = { min: '≥', max: '≤' };

/** The parts of a name: what is measured, its unit, and which way a threshold bounds it. */
function split(name: string): { stem: string; unit: string; end: string } {
  const words = name.split('_');
  let [unit, end] = ['', ''];
  while (words.length > 1) {
    const last = words.at(-1)!;
    if (!unit && last in UNITS) unit = words.pop()!;
    else if (!end && last in SIGNS) end = words.pop()!;
    else break;
  }
  return { stem: words.join('_'), unit, end };
}

export interface Measure {
  label: string;
  value: string;
  unit: string;
  sign: string; // which way a threshold points, where its name says so
}

const oneDecimal = (value: number) => figure(Number(value.toFixed(1)));

function withUnit(stem: string, unit: string, value: number): [value: string, unit: string] {
  if (stem.endsWith('squawk')) return [String(value).padStart(4, '0'), ''];
  if (stem === 'emergency') return [told('emergency', String(value)), ''];
  if (stem.endsWith('share')) return [figure(Math.round(value * 100)), '%'];
  if (unit === 's' && value >= 2 * 3600) return [oneDecimal(value / 3600), 'h'];
  if (unit === 's' && value >= 120) return [oneDecimal(value / 60), 'min'];
  if (unit === 'm' && value >= 10_000) return [oneDecimal(value / 1000), 'km'];
  if (unit === 'm' || unit === 'ft' || unit === 'deg') return [count(value), UNITS[unit]!];
  return [figure(value), UNITS[unit] ?? ''];
}

/** How to show a measured value or a threshold by its name. */
export function measure(name: string, value: number): Measure {
  const { stem, unit, end } = split(name);
  const words = stem.replaceAll('_', ' ');
  const [shown, unitShown] = withUnit(stem, unit, value);
  const label = told('measure', stem, words.charAt(0).toUpperCase() + words.slice(1));
  return { label, value: shown, unit: unitShown, sign: SIGNS[end] ?? '' };
}

/** The thresholds that bound a measured value: those with the same stem and unit. */
export function thresholdsFor(name: string, thresholds: Record<string, number>): [string, number][] {
  const own = split(name);
  return Object.entries(thresholds).filter(([other]) => {
    const that = split(other);
    return that.stem === own.stem && that.unit === own.unit;
  });
}
