// One craft's state as rows of words and figures; what was never heard has no row.
import { sight } from './sight.svelte';
import { bearing, count, figure, instant, position, span, type Zone } from './format';
import { t, told } from './text.svelte';
import type { Craft } from './types';

/** AIS ship types go by tens (ITU-R M.1371, table 53), a few by themselves. */
function shipType(code: number): string {
  const alone = [30, 31, 32, 33, 34, 35, 36, 37, 50, 51, 52, 53, 54, 55, 58];
  const group = alone.includes(code) ? code : Math.floor(code / 10) * 10;
  return told('ship', String(group), t('ship.other', { code }));
}

/** A squawk is kept as the decimal reading of its four octal digits. */
function squawk(code: number): string {
  return String(code).padStart(4, '0');
}

interface SameAs {
  craft: string;
  agreed: number;
  compared: number;
  apart_m: number;
}

/** Which sensors' tracks it is, or which craft a track is, and how often they fitted. */
function sameAs(craft: Craft): string {
  const found = (craft.same_as ?? []) as unknown as SameAs[];
  return found.map((one) => t('craft.same', { ...one, apart_m: count(one.apart_m) })).join('; ');
}

/** A state that the node has worked out of many reports, with how far off it may be in 95 of 100 cases. */
interface Smoothed {
  lat: number | null;
  lon: number | null;
  error_m: number | null;
  speed_kn: number | null;
  speed_error_kn: number | null;
  course_deg: number | null;
}

/** Place, speed and course in one line; nothing where there is no place. */
function smoothed(value: unknown): string {
  const one = value as Smoothed | null | undefined;
  if (one?.lat == null || one.lon == null) return '';
  const tenth = (number: number) => figure(Number(number.toFixed(1)));
  const off = (number: number | null, unit: string) => (number == null ? '' : ` ± ${tenth(number)} ${unit}`);
  const error_m = one.error_m == null ? '' : ` ± ${count(Math.round(one.error_m))} m`;
  return [
    position(one.lat, one.lon, sight.places) + error_m,
    one.speed_kn == null ? '' : `${tenth(one.speed_kn)} kn${off(one.speed_error_kn, 'kn')}`,
    one.course_deg == null ? '' : bearing(one.course_deg),
  ].filter(Boolean).join(', ');
}

export function craftRows(craft: Craft, nowUs: number, zone: Zone): [label: string, value: string][] {
  const num = (name: string): number | null => (typeof craft[name] === 'number' ? (craft[name] as number) : null);
  const as = (name: string, show: (value: number) => string): string => {
    const value = num(name);
    return value === null || Number.isNaN(value) ? '' : show(value);
  };
  const tenth = (value: number) => figure(Number(value.toFixed(1)));
  const [lat, lon] = [num('lat'), num('lon')];
  const callsign = String(craft.callsign ?? '').trim();
  const rows: [string, string][] = [
    [t('craft.callsign'), callsign],
    [t('craft.type'), as('ship_type', (v) => (v ? shipType(v) : ''))],
    [t('fact.where'), lat === null || lon === null ? '' : position(lat, lon, sight.places)],
    [t('craft.speed'), as('speed_kn', (v) => `${tenth(v)} kn`)],
    [t('craft.course'), as('course_deg', bearing)],
    [t('craft.heading'), as('heading_deg', bearing)],
    [t('craft.altitude'), as('altitude_ft', (v) => `${count(v)} ft`)],
    [t('craft.climb'), as('vertical_rate_fpm', (v) => `${v > 0 ? '+' : ''}${count(v)} ft/min`)],
    [t('craft.status'), as('nav_status', (v) => told('status', String(v)))],
    [t('craft.squawk'), as('squawk', squawk)],
    [t('craft.emergency'), as('emergency', (v) => (v ? told('emergency', String(v)) : ''))],
    [t('craft.age'), as('time_us', (v) => t('ago', { span: span(nowUs - v) }))],
    [t('craft.heard'), as('time_us', (v) => instant(v, zone))],
    [t('fact.feed'), String(craft.feed ?? '')],
    [t('craft.originator'), String(craft.originator ?? '').toUpperCase()],
    [t('craft.partner'), String(craft.partner ?? '').toUpperCase()],
    [t('craft.rung'), craft.partner ? told('rung.place', String(craft.place ?? 'none')) : ''],
    [t('craft.smoothed'), smoothed(craft.smoothed)],
    [t('craft.second'), smoothed(craft.second_craft)],
    [t('craft.same_as'), sameAs(craft)],
    [t('craft.marks'), craft.marks || craft.implausible ? t('craft.implausible') : ''],
  ];
  return rows.filter(([, value]) => value);
}
