// When and where something was, in words: never finer than it is held.
import { clock, day, instant, middle, parseIso, position, type PlaceForm, type Zone } from './format';
import { heldTime } from './statement';
import { t } from './text.svelte';
import type { Item } from './types';

const HOUR_US = 3600 * 1e6;
// H3: twice the mean edge of resolutions 3, 5 and 7, corner to corner, in km
const ACROSS_KM: Record<string, string> = { region: '140', area: '20', spot: '3' };

export function whenHeld(item: Item, zone: Zone): string {
  const { rung, text, us } = heldTime(item);
  if (rung === 'exact' && us !== null) return instant(us, zone);
  if (rung === 'hour') {
    const from = parseIso(`${text.slice(0, 13)}:00Z`);
    if (from === null) return text;
    return `${day(from, zone)} ${clock(from, zone, false)}–${clock(from + HOUR_US, zone, false)}`;
  }
  return text || t('none.held');
}

export function whereHeld(item: Item, form: PlaceForm): string {
  const at = item.footprint && middle(item.footprint);
  const rung = item.provenance.place;
  if (!at) return t('none.held');
  if (rung === 'exact') return position(at[0], at[1], form);
  const ns = `${Math.abs(at[0]).toFixed(1)}°${at[0] < 0 ? 'S' : 'N'}`;
  const ew = `${Math.abs(at[1]).toFixed(1)}°${at[1] < 0 ? 'W' : 'E'}`;
  return t('place.about', { place: `${ns} ${ew}`, across: ACROSS_KM[rung] ?? '?' });
}
