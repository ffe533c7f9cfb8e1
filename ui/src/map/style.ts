// What the map is made of, from the sea floor up. Tracks are a layer of our own (tracks.ts).
import type { FeatureCollection } from 'geojson';
import type { ExpressionSpecification, LayerSpecification, Map, StyleSpecification } from 'maplibre-gl';
import type { Basemap } from './basemap';
import type { Colours } from './palette';
import { RANK_ZOOM } from './places';

const FONT = 'IBM Plex Sans Variable';
const SEA_FONT = `${FONT} Italic`; // the map draws a slanted cut of the one font we bring

const EMPTY: FeatureCollection = { type: 'FeatureCollection', features: [] };

const standing = (c: Colours): ExpressionSpecification => [
  'match', ['get', 'standing'],
  'open', c.open,
  'closed', c.closed,
  'withdrawn', c.withdrawn,
  c.said,
];
const CHOSEN: ExpressionSpecification = ['boolean', ['get', 'chosen'], false];
const POINTS: ExpressionSpecification = ['==', ['geometry-type'], 'Point'];

function label(c: Colours, id: string, sort: string, rank: 1 | 2 | 3): LayerSpecification {
  const sea = sort === 'sea';
  return {
    id,
    type: 'symbol',
    source: 'places',
    minzoom: RANK_ZOOM[rank],
    filter: ['all', ['==', ['get', 'sort'], sort], ['==', ['get', 'rank'], rank]],
    layout: {
      'text-field': ['get', 'name'],
      'text-font': sea ? [SEA_FONT, FONT] : [FONT],
      'text-size': sea ? 15 - 2 * rank : rank === 1 ? 13 : 11.5,
      'text-letter-spacing': sea ? 0.12 : 0.01,
      'text-max-width': 7,
      'text-padding': 6,
    },
    paint: {
      'text-color': sea ? c.seaName : sort === 'island' ? c.islandName : rank === 1 ? c.cityName : c.townName,
      'text-halo-color': c.halo,
      'text-halo-width': sea ? 0 : 1.2,
    },
  };
}

const labels = (c: Colours): LayerSpecification[] => [
  label(c, 'sea-1', 'sea', 1), label(c, 'sea-2', 'sea', 2), label(c, 'sea-3', 'sea', 3),
  label(c, 'island-3', 'island', 3), label(c, 'island-2', 'island', 2),
  label(c, 'town-3', 'town', 3), label(c, 'town-2', 'town', 2), label(c, 'town-1', 'town', 1),
];

const ground = (c: Colours): LayerSpecification[] => [
  { id: 'water', type: 'background', paint: { 'background-color': c.water } },
  { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': c.land, 'fill-antialias': false } },
  {
    id: 'graticule',
    type: 'line',
    source: 'graticule',
    layout: { visibility: 'none' },
    paint: { 'line-color': c.graticule, 'line-width': 0.7 },
  },
  {
    id: 'borders',
    type: 'line',
    source: 'borders',
    paint: { 'line-color': c.border, 'line-width': 0.9, 'line-dasharray': [4, 3] },
  },
  { id: 'coast', type: 'line', source: 'coast', paint: { 'line-color': c.coast, 'line-width': 0.8 } },
];

const UNUSUAL: ExpressionSpecification = ['boolean', ['get', 'unusual'], false];

const zoneLayers = (c: Colours): LayerSpecification[] => [
  {
    id: 'zone-fill',
    type: 'fill',
    source: 'zones',
    filter: ['==', ['geometry-type'], 'Polygon'], // a cable is a line, and has no inside
    paint: { 'fill-color': ['case', UNUSUAL, c.cell, c.zone], 'fill-opacity': ['case', UNUSUAL, 0.3, 0.05] },
  },
  {
    id: 'zone-line',
    type: 'line',
    source: 'zones',
    paint: { 'line-color': c.zone, 'line-opacity': 0.65, 'line-width': 1, 'line-dasharray': [2, 2] },
  },
  {
    id: 'zone-label',
    type: 'symbol',
    source: 'zones',
    minzoom: 5.5,
    layout: { 'text-field': ['get', 'label'], 'text-font': [FONT], 'text-size': 11 },
    paint: { 'text-color': c.zoneName, 'text-halo-color': c.halo, 'text-halo-width': 1.2 },
  },
];

// A statement's place as held: cells are drawn whole, so that one sees how little is known.
const footprintLayers = (c: Colours): LayerSpecification[] => [
  {
    id: 'print-fill',
    type: 'fill',
    source: 'prints',
    paint: { 'fill-color': standing(c), 'fill-opacity': ['case', CHOSEN, 0.2, 0.08] },
  },
  {
    id: 'print-line',
    type: 'line',
    source: 'prints',
    filter: ['!', POINTS],
    paint: { 'line-color': ['case', CHOSEN, c.chosen, standing(c)], 'line-width': ['case', CHOSEN, 1.8, 1.1] },
  },
];

const evidenceLayers = (c: Colours): LayerSpecification[] => [
  {
    id: 'evidence',
    type: 'line',
    source: 'evidence',
    filter: ['==', ['geometry-type'], 'LineString'],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': c.chosen, 'line-opacity': 0.75, 'line-width': 1.6 },
  },
  {
    id: 'evidence-point',
    type: 'circle',
    source: 'evidence',
    filter: POINTS,
    paint: { 'circle-radius': 2.1, 'circle-color': c.chosen, 'circle-opacity': 0.75 },
  },
];

// Counts of a cell: how strong, by fill, by outline and in figures.
const LOOK = (disturbed: number, touched: number, quiet: number): ExpressionSpecification => [
  'match', ['get', 'look'], 'disturbed', disturbed, 'touched', touched, quiet,
];

const cellLayers = (c: Colours): LayerSpecification[] => [
  { id: 'cell-fill', type: 'fill', source: 'cells', paint: { 'fill-color': c.cell, 'fill-opacity': LOOK(0.4, 0.16, 0.02) } },
  { id: 'cell-line', type: 'line', source: 'cells', paint: { 'line-color': c.cell, 'line-width': LOOK(2, 1.2, 0.5), 'line-opacity': LOOK(1, 0.8, 0.5) } },
  {
    id: 'cell-label',
    type: 'symbol',
    source: 'cells',
    minzoom: 5,
    filter: ['!=', ['get', 'look'], 'quiet'],
    layout: { 'text-field': ['get', 'label'], 'text-font': [`${FONT} SemiBold`, FONT], 'text-size': 11.5, 'text-allow-overlap': true },
    paint: { 'text-color': c.cellName, 'text-halo-color': c.halo, 'text-halo-width': 1.4 },
  },
];

// The way that the craft looked at came: fainter the longer ago, dashed where it was silent.
const FRESH: ExpressionSpecification = ['interpolate', ['linear'], ['get', 'fresh'], 0, 0.25, 1, 0.95];

const trailLayers = (c: Colours): LayerSpecification[] => [
  {
    id: 'trail',
    type: 'line',
    source: 'trail',
    filter: ['all', ['==', ['geometry-type'], 'LineString'], ['!', ['get', 'gap']]],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': c.trail, 'line-opacity': FRESH, 'line-width': 2 },
  },
  {
    id: 'trail-gap',
    type: 'line',
    source: 'trail',
    filter: ['all', ['==', ['geometry-type'], 'LineString'], ['get', 'gap']],
    paint: { 'line-color': c.trail, 'line-opacity': FRESH, 'line-width': 1.2, 'line-dasharray': [2, 3] },
  },
  {
    id: 'trail-time',
    type: 'circle',
    source: 'trail',
    filter: POINTS,
    paint: { 'circle-radius': 3, 'circle-color': c.halo, 'circle-stroke-color': c.trail, 'circle-stroke-width': 1.4, 'circle-stroke-opacity': FRESH },
  },
  {
    id: 'trail-label',
    type: 'symbol',
    source: 'trail',
    filter: POINTS,
    layout: {
      'text-field': ['get', 'label'],
      'text-font': [FONT],
      'text-size': 10.5,
      'text-anchor': 'left',
      'text-offset': [0.7, 0],
    },
    paint: { 'text-color': c.trail, 'text-halo-color': c.halo, 'text-halo-width': 1.4 },
  },
];

const overTracks = (c: Colours): LayerSpecification[] => [
  {
    id: 'print-point',
    type: 'circle',
    source: 'prints',
    filter: POINTS,
    paint: {
      'circle-radius': ['case', CHOSEN, 13, 9],
      'circle-color': standing(c),
      'circle-opacity': ['case', CHOSEN, 0.16, 0.1],
      'circle-stroke-color': ['case', CHOSEN, c.chosen, standing(c)],
      'circle-stroke-width': ['case', CHOSEN, 2, 1.4],
    },
  },
  {
    id: 'print-label',
    type: 'symbol',
    source: 'prints',
    minzoom: 4.5,
    filter: ['any', ['==', ['get', 'standing'], 'open'], CHOSEN],
    layout: {
      'text-field': ['get', 'label'],
      'text-font': [`${FONT} SemiBold`, FONT],
      'text-size': 11.5,
      'text-anchor': 'left',
      'text-offset': [1.3, 0],
      'text-max-width': 14,
    },
    paint: {
      'text-color': ['case', CHOSEN, c.chosen, standing(c)],
      'text-halo-color': c.halo,
      'text-halo-width': 1.4,
    },
  },
  {
    id: 'craft-ring',
    type: 'circle',
    source: 'craft',
    paint: {
      'circle-radius': 15,
      'circle-color': c.chosen,
      'circle-opacity': 0.05,
      'circle-stroke-color': c.chosen,
      'circle-stroke-width': 1.6,
    },
  },
  {
    id: 'draft-fill',
    type: 'fill',
    source: 'draft',
    filter: ['==', ['geometry-type'], 'Polygon'],
    paint: { 'fill-color': c.chosen, 'fill-opacity': 0.12 },
  },
  {
    id: 'draft-line',
    type: 'line',
    source: 'draft',
    paint: { 'line-color': c.chosen, 'line-width': 1.8 },
  },
  {
    id: 'draft-point',
    type: 'circle',
    source: 'draft',
    filter: ['==', ['geometry-type'], 'Point'],
    paint: { 'circle-radius': 4.5, 'circle-color': c.chosen, 'circle-stroke-color': c.halo, 'circle-stroke-width': 1.5 },
  },
  {
    id: 'probe',
    type: 'circle',
    source: 'probe',
    paint: {
      'circle-radius': 6,
      'circle-color': c.chosen,
      'circle-stroke-color': c.halo,
      'circle-stroke-width': 2,
    },
  },
];

export const SOURCES = ['places', 'zones', 'cells', 'prints', 'trail', 'evidence', 'craft', 'probe', 'draft'] as const;
export type Source = (typeof SOURCES)[number];

/** The layer that tracks are drawn below. */
export const FIRST_OVER_TRACKS = 'print-point';

function layers(c: Colours): LayerSpecification[] {
  return [
    ...ground(c), ...zoneLayers(c), ...cellLayers(c), ...labels(c), ...footprintLayers(c), ...trailLayers(c), ...evidenceLayers(c), ...overTracks(c),
  ];
}

/** Give a map that stands already other colours. */
export function recolour(map: Map, colours: Colours): void {
  for (const layer of layers(colours)) {
    for (const [name, value] of Object.entries(layer.paint ?? {})) {
      map.setPaintProperty(layer.id, name as Parameters<Map['setPaintProperty']>[1], value);
    }
  }
}

export function mapStyle(basemap: Basemap, lines: FeatureCollection, colours: Colours): StyleSpecification {
  const source = (data: FeatureCollection, maxzoom: number) => ({ type: 'geojson' as const, data, maxzoom });
  // thin lines need little of the tiles beside theirs, and nobody sees three quarters of a pixel: cutting
  // the land into tiles is what a first picture waits for
  const thrifty = (data: FeatureCollection) => ({ ...source(data, 10), buffer: 4, tolerance: 0.75 });
  return {
    version: 8,
    sources: {
      land: thrifty(basemap.land),
      coast: thrifty(basemap.coast),
      borders: thrifty(basemap.borders),
      graticule: source(lines, 10),
      ...Object.fromEntries(SOURCES.map((name) => [name, source(EMPTY, 14)])),
    },
    layers: layers(colours),
  };
}
