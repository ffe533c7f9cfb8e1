// Names of measured values and thresholds carry their unit (`speed_kn_max`): read it off them.
import { told } from './text.svelte';

const UNITS: Record<string, { unit: string; per: number }> = {
  kn: { unit: 'kn', per: 1 },
  deg: { unit: '°', per: 1 },
  m: { unit: 'm', per: 1 },
  km: { unit: 'km', per: 1 },
  nm: { unit: 'NM', per: 1 },
  ft: { unit: 'ft', per: 1 },
  fpm: { unit: 'ft/min', per: 1 },
  s: { unit: 's', per: 1 },
  min: { unit: 'min', per: 1 },
  h: { unit: 'h', per: 1 },
  share: { unit: '%', per: 0.01 },
};
const ENDS = ['min', 'max', 'least', 'most'];
const SIGNS: Record<string, string> = { min: '≥', least: '≥', max: '≤', most: '≤' };

export interface Measure {
  label: string;
  unit: string;
  sign: string; // which way a threshold points, where its name says so
  scale: (value: number) => number;
}

function split(name: string): { stem: string[]; unit: string; end: string } {
  const words = name.split('_');
  // a lone trailing "min" after another unit is an end (`speed_kn_min`), else the unit (`lost_min`)
  const last = words.at(-1)!;
  const before = words.at(-2) ?? '';
  const end = ENDS.includes(last) && (last !== 'min' || before in UNITS) ? words.pop()! : '';
  const unit = words.length > 1 && words.at(-1)! in UNITS ? words.pop()! : '';
  return { stem: words, unit, end };
}

/** How to show a measured value or a threshold: words, unit, and seconds as minutes or hours. */
export function measure(name: string): Measure {
  const { stem, unit, end } = split(name);
  const words = stem.join(' ');
  const { unit: shown, per } = UNITS[unit] ?? { unit: '', per: 1 };
  return {
    label: told('measure', stem.join('_'), words.charAt(0).toUpperCase() + words.slice(1)),
    unit: shown,
    sign: SIGNS[end] ?? '',
    scale: (value) => value / per,
  };
}

/** The thresholds that bound a measured value: those with the same stem and unit. */
export function thresholdsFor(name: string, thresholds: Record<string, number>): [string, number][] {
  const own = split(name);
  return Object.entries(thresholds).filter(([other]) => {
    const that = split(other);
    return that.stem.join() === own.stem.join() && that.unit === own.unit;
  });
}
