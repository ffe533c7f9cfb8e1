// Unpacks the page's own basemap (see tools/basemap.mjs for the format) into GeoJSON.
import type { FeatureCollection, Position } from 'geojson';
import basemapUrl from '../../.generated/basemap.json?url';

interface Packed {
  unit: number;
  land: { box: [number, number, number, number]; polygons: number[][][] }[];
  borders: number[][];
}

export interface Basemap {
  land: FeatureCollection;
  coast: FeatureCollection;
  borders: FeatureCollection;
}

function unpack(packed: number[], unit: number): Position[] {
  const points: Position[] = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i < packed.length; i += 2) {
    x += packed[i]!;
    y += packed[i + 1]!;
    points.push([x / unit, y / unit]);
  }
  return points;
}

/** The pieces of a ring that are coast: not where the clipping box cut the land. */
function coastOf(ring: Position[], box: Packed['land'][number]['box']): Position[][] {
  const onEdge = (a: Position, b: Position) =>
    box.some((at, side) => a[side % 2] === at && b[side % 2] === at);
  const pieces: Position[][] = [];
  let open: Position[] = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const [a, b] = [ring[i]!, ring[i + 1]!];
    if (onEdge(a, b)) {
      if (open.length) pieces.push(open);
      open = [];
    } else open.length ? open.push(b) : open.push(a, b);
  }
  if (open.length) pieces.push(open);
  return pieces;
}

function lines(coordinates: Position[][]): FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: [
      { type: 'Feature', properties: {}, geometry: { type: 'MultiLineString', coordinates } },
    ],
  };
}

const load = async () => (await (await fetch(basemapUrl)).json()) as Packed;
// asked for with the page, long before there is a map; one that did not come is asked for again
let early: Promise<Packed> | null = load();
early.catch(() => (early = null));

export async function loadBasemap(): Promise<Basemap> {
  const packed = await (early ?? load());
  const coast: Position[][] = [];
  const polygons: Position[][][] = [];
  for (const { box, polygons: found } of packed.land) {
    for (const rings of found) {
      const polygon = rings.map((ring) => {
        const points = unpack(ring, packed.unit);
        return [...points, points[0]!];
      });
      polygons.push(polygon);
      for (const ring of polygon) coast.push(...coastOf(ring, box));
    }
  }
  return {
    land: {
      type: 'FeatureCollection',
      features: polygons.map((coordinates) => ({
        type: 'Feature',
        properties: {},
        geometry: { type: 'Polygon', coordinates },
      })),
    },
    coast: lines(coast),
    borders: lines(packed.borders.map((line) => unpack(line, packed.unit))),
  };
}

/** Meridians and parallels, every `step` degrees. */
export function graticule(step: number): FeatureCollection {
  const found: Position[][] = [];
  for (let lon = -180; lon <= 180; lon += step) found.push([[lon, -85], [lon, 85]]);
  for (let lat = -80; lat <= 80; lat += step) found.push([[-180, lat], [180, lat]]);
  return lines(found);
}
