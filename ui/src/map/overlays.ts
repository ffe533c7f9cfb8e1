// What the desk holds, as features for the map.
import type { Feature, FeatureCollection, Position } from 'geojson';
import { slotText, standing } from '../lib/statement';
import type { EvidenceRow, Item } from '../lib/types';

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

/** The way that the rows of evidence tell, and the rows themselves. */
export function evidencePath(rows: EvidenceRow[]): FeatureCollection {
  const way: Position[] = rows.filter((r) => r.lat != null && r.lon != null).map((r) => [r.lon!, r.lat!]);
  if (!way.length) return collection([]);
  const dots = way.map(([lon, lat]) => pointAt(lat!, lon!));
  if (way.length < 2) return collection(dots);
  return collection([
    { type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: way } },
    ...dots,
  ]);
}

/** Zones with their title in the language of the page. */
export function zoneFeatures(zones: FeatureCollection | null, lang: 'en' | 'sv'): FeatureCollection {
  return collection(
    (zones?.features ?? []).map((feature) => {
      const title: unknown = feature.properties?.title;
      const label =
        title && typeof title === 'object'
          ? (title as Record<string, string>)[lang]
          : (title ?? feature.properties?.name);
      return { ...feature, properties: { label: String(label ?? '') } };
    }),
  );
}
