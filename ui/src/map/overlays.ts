// What the desk holds, as features for the map.
import type { Feature, FeatureCollection, Position } from 'geojson';
import { slotText, standing } from '../lib/statement';
import { cellLook, disturbed } from '../lib/cells.svelte';
import type { Activity, EvidenceRow, Interference, Item, Trail, ZoneActivity } from '../lib/types';

export function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features };
}

export function pointAt(lat: number, lon: number): Feature {
  return { type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [lon, lat] } };
}

/** What the map needs of a statement. */
export type Drawn = Pick<Item, 'jti' | 'kind' | 'state' | 'slots' | 'footprint'>;

/** Every statement's place as held. What is withdrawn is drawn only while it is looked at. */
export function footprints(items: Drawn[], chosen: string | null, named: (item: Drawn) => string): FeatureCollection {
  const drawn = items.filter((i) => i.footprint && (i.state !== 'withdrawn' || i.jti === chosen));
  return collection(
    drawn.map((item) => ({
      type: 'Feature',
      properties: {
        jti: item.jti,
        standing: standing(item),
        chosen: item.jti === chosen,
        label: named(item),
        craft: slotText(item, 'body.craft'),
      },
      geometry: item.footprint!,
    })),
  );
}

/**
 * The ways that the rows of evidence tell, and the rows themselves: of one craft, of each of several, and of a
 * pair's other. Single rows of many craft, as of a cell, are points and no way.
 */
export function evidencePath(rows: EvidenceRow[]): FeatureCollection {
  const ways = new Map<string, Position[]>();
  const add = (whose: string, lat: unknown, lon: unknown) => {
    if (typeof lat === 'number' && typeof lon === 'number') ways.set(whose, [...(ways.get(whose) ?? []), [lon, lat]]);
  };
  for (const row of rows) {
    add(row.craft ?? '', row.lat, row.lon);
    add('other', row.other_lat, row.other_lon);
  }
  const found: Feature[] = [];
  for (const way of ways.values()) {
    if (way.length > 1) found.push({ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: way } });
    found.push(...way.map(([lon, lat]) => pointAt(lat!, lon!)));
  }
  return collection(found);
}

/** Cells with their counts; the words in them say what the colour says. */
export function cellFeatures(told: Interference | null): FeatureCollection {
  return collection(
    (told?.cells ?? []).map((cell) => ({
      type: 'Feature',
      properties: { cell: cell.cell, look: cellLook(cell, told!), label: `${disturbed(cell)}/${cell.craft}` },
      geometry: { type: 'Polygon', coordinates: [cell.ring] },
    })),
  );
}

const AGES = 8; // how many pieces of a trail grow fainter one after the other

/** The way that a craft came, fainter the longer ago; dashed where it was silent; with times along it. */
export function trailFeatures(trail: Trail | null, toUs: number, ticks: (from: number, to: number) => [number, string][]): FeatureCollection {
  const { time_us: times, lat, lon } = trail?.points ?? { time_us: [], lat: [], lon: [] };
  const last = times.findLastIndex((us) => us <= toUs);
  if (last < 0) return collection([]);
  const fromUs = times[0]!;
  const found: Feature[] = [];
  const line = (from: number, to: number, properties: Record<string, unknown>) => {
    const coordinates: Position[] = [];
    for (let i = from; i <= to; i++) coordinates.push([lon[i]!, lat[i]!]);
    if (coordinates.length > 1) found.push({ type: 'Feature', properties, geometry: { type: 'LineString', coordinates } });
  };
  const breaks = new Set(trail!.breaks);
  const piece = (i: number) => Math.floor((AGES * (times[i]! - fromUs)) / Math.max(1, toUs - fromUs));
  let began = 0;
  for (let i = 1; i <= last; i++) {
    const silent = breaks.has(i);
    if (silent || piece(i) !== piece(began)) {
      line(began, silent ? i - 1 : i, { fresh: (piece(began) + 1) / AGES, gap: false });
      if (silent) line(i - 1, i, { fresh: (piece(began) + 1) / AGES, gap: true });
      began = i;
    }
  }
  line(began, last, { fresh: 1, gap: false });
  for (const [us, label] of ticks(fromUs, times[last]!)) {
    const at = times.findIndex((time) => time >= us);
    if (at < 0 || times[at]! - us > (toUs - fromUs) / 40) continue; // it was silent then
    const point = pointAt(lat[at]!, lon[at]!);
    found.push({ ...point, properties: { label, fresh: (piece(at) + 1) / AGES } });
  }
  return collection(found);
}

const sum = (rows: ZoneActivity[], of: 'craft' | 'expected') => rows.reduce((all, row) => all + row[of], 0);

/** Zones with their title in the language of the page; where asked, with how many came and how many usually do. */
export function zoneFeatures(zones: FeatureCollection | null, lang: 'en' | 'sv', told: Activity | null): FeatureCollection {
  return collection(
    (zones?.features ?? []).map((feature) => {
      const title: unknown = feature.properties?.title;
      const label =
        title && typeof title === 'object'
          ? (title as Record<string, string>)[lang]
          : (title ?? feature.properties?.name);
      const rows = told?.zones.filter((row) => row.zone === feature.properties?.name) ?? [];
      const counts = rows.length ? `\n${sum(rows, 'craft')} / ${Math.round(sum(rows, 'expected'))}` : '';
      const unusual = rows.some((row) => row.unusual !== 0);
      return { ...feature, properties: { label: `${String(label ?? '')}${counts}`, unusual } };
    }),
  );
}
