// Times, places and figures as people read them at night: short, aligned, with their unit.
import type { Geometry, Position } from 'geojson';
import { forward } from 'mgrs';

const two = (value: number) => String(Math.floor(value)).padStart(2, '0');

/** Where clock times are told in: UTC, or the zone of the machine that shows the page. */
export type Zone = 'utc' | 'local';

function parts(atUs: number, zone: Zone) {
  const date = new Date(atUs / 1000);
  const local = zone === 'local';
  return {
    year: local ? date.getFullYear() : date.getUTCFullYear(),
    month: (local ? date.getMonth() : date.getUTCMonth()) + 1,
    day: local ? date.getDate() : date.getUTCDate(),
    hour: local ? date.getHours() : date.getUTCHours(),
    minute: local ? date.getMinutes() : date.getUTCMinutes(),
    second: local ? date.getSeconds() : date.getUTCSeconds(),
    mark: local ? '' : 'Z',
  };
}

/** `20:15:03Z`; without the Z it is local time. */
export function clock(atUs: number, zone: Zone, seconds = true): string {
  const p = parts(atUs, zone);
  return `${two(p.hour)}:${two(p.minute)}${seconds ? ':' + two(p.second) : ''}${p.mark}`;
}

/** `2026-11-21`. */
export function day(atUs: number, zone: Zone): string {
  const p = parts(atUs, zone);
  return `${p.year}-${two(p.month)}-${two(p.day)}`;
}

/** `2026-11-21 20:15:03Z`. */
export function instant(atUs: number, zone: Zone): string {
  return `${day(atUs, zone)} ${clock(atUs, zone)}`;
}

/** Microseconds of an ISO time, or null where it is none. */
export function parseIso(text: unknown): number | null {
  const ms = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isFinite(ms) ? ms * 1000 : null;
}

/** `4 s`, `12 min`, `3 h`, `2 d`: one unit, rounded down. */
export function span(us: number): string {
  const s = Math.max(0, us) / 1e6;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

/** Thin spaces between thousands, as both languages read. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** As many decimals as the size of a figure is worth. */
export function figure(value: number): string {
  if (Number.isInteger(value)) return Math.abs(value) >= 10_000 ? count(value) : String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function minutes(value: number, positive: string, negative: string, width: number): string {
  const size = Math.round(Math.abs(value) * 60_000) / 1000; // whole thousandths of a minute: no 60.000′
  const degrees = Math.floor(size / 60);
  const rest = (size - degrees * 60).toFixed(3).padStart(6, '0');
  return `${String(degrees).padStart(width, '0')}°${rest}′${value < 0 ? negative : positive}`;
}

function seconds(value: number, positive: string, negative: string, width: number): string {
  const tenths = Math.round(Math.abs(value) * 36_000); // whole tenths of a second: no 60.0″
  const degrees = String(Math.floor(tenths / 36_000)).padStart(width, '0');
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, '0');
  return `${degrees}°${two((tenths % 36_000) / 600)}′${rest}″${value < 0 ? negative : positive}`;
}

/** How places are written: as on charts, in seconds, as a plain number, or in the grid of land forces. */
export type PlaceForm = 'minutes' | 'seconds' | 'decimal' | 'mgrs';

const MGRS_METRES = 5; // digits a side: one metre
const MGRS_SOUTH = -80; // nearer the poles the grid is another one (UPS)
const MGRS_NORTH = 84;

/**
 * `57°38.250′N 018°17.100′E`, `57°38′15.0″N 018°17′06.0″E`, `57.63750, 18.28500` or
 * `34V CJ 37951 91411` (MGRS on WGS 84; beyond its reach, as on charts).
 */
export function position(lat: number, lon: number, form: PlaceForm = 'minutes'): string {
  if (form === 'decimal') return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
  if (form === 'seconds') return `${seconds(lat, 'N', 'S', 2)} ${seconds(lon, 'E', 'W', 3)}`;
  if (form === 'mgrs' && lat >= MGRS_SOUTH && lat <= MGRS_NORTH) {
    return forward([lon, lat], MGRS_METRES).replace(/^(\d+\w)(\w\w)(\d{5})(\d{5})$/, '$1 $2 $3 $4');
  }
  return `${minutes(lat, 'N', 'S', 2)} ${minutes(lon, 'E', 'W', 3)}`;
}

/** `045°`. */
export function bearing(deg: number): string {
  return `${String(Math.round(deg) % 360).padStart(3, '0')}°`;
}

function* positions(geometry: Geometry): Generator<Position> {
  if (geometry.type === 'GeometryCollection') {
    for (const part of geometry.geometries) yield* positions(part);
    return;
  }
  const stack: unknown[] = [geometry.coordinates];
  while (stack.length) {
    const top = stack.pop() as Position | unknown[];
    if (typeof top[0] === 'number') yield top as Position;
    else stack.push(...top);
  }
}

/** West, south, east, north of a geometry; null when it is empty. */
export function extent(geometry: Geometry): [number, number, number, number] | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of positions(geometry) as Iterable<[number, number]>) {
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  }
  return Number.isFinite(box[0]) ? box : null;
}

/** The middle of a geometry's extent, as [lat, lon]. */
export function middle(geometry: Geometry): [number, number] | null {
  const box = extent(geometry);
  return box && [(box[1] + box[3]) / 2, (box[0] + box[2]) / 2];
}
