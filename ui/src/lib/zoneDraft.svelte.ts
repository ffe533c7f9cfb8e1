// A zone while an administrator draws it: what the form has, and its feature.
import type { Feature, FeatureCollection, Geometry, Position } from 'geojson';
import { position, type PlaceForm } from './format';
import { parsePosition } from './parse';

export const SORTS = ['area', 'port', 'anchorage', 'fairway', 'cable', 'pipeline'] as const;
const POINTS = ['port', 'anchorage'];
const LINES = ['fairway', 'cable', 'pipeline'];
const SIGNS = 6; // decimals of a degree that a click has: a tenth of a metre

type Shape = 'area' | 'line' | 'point';

export class ZoneDraft {
  was: string | null; // the name of the zone that is changed; null: a new one
  fixed: Geometry | null = null; // a shape of several parts, which is not drawn here
  name = $state('');
  en = $state('');
  sv = $state('');
  sort = $state<string>('area');
  shape = $state<Shape>('area');
  sea = $state(true);
  air = $state(true);
  reach = $state('');
  floor = $state('');
  ceiling = $state('');
  unit = $state<'ft' | 'fl'>('ft');
  approximate = $state(false);
  source = $state('');
  points = $state.raw<[number, number][]>([]); // latitude, longitude
  wrongLines = $state.raw<number[]>([]); // lines of the text that are no place
  text = $state('');
  #form: PlaceForm;
  #others: Record<string, unknown> = {}; // what the file says and this form does not know

  constructor(feature: Feature | null, form: PlaceForm) {
    this.#form = form;
    this.was = feature ? String(feature.properties?.name ?? '') : null;
    if (feature) this.#read(feature);
  }

  #read({ properties, geometry }: Feature): void {
    const { name, title, sort, domains, reach_m, floor_ft, floor_fl, ceiling_ft, ceiling_fl, approximate, source, ...others } =
      properties ?? {};
    this.#others = others;
    const titles = (title ?? name) as string | { en: string; sv: string };
    [this.en, this.sv] = typeof titles === 'string' ? [titles, titles] : [titles.en, titles.sv];
    this.name = String(name ?? '');
    this.sort = String(sort ?? 'area');
    const named = (domains as string[] | undefined) ?? (this.sort === 'area' ? ['sea', 'air'] : ['sea']);
    [this.sea, this.air] = [named.includes('sea'), named.includes('air')];
    this.reach = String(reach_m ?? '');
    this.unit = floor_fl != null || ceiling_fl != null ? 'fl' : 'ft';
    this.floor = String(floor_ft ?? floor_fl ?? '');
    this.ceiling = String(ceiling_ft ?? ceiling_fl ?? '');
    this.approximate = approximate === true;
    this.source = String(source ?? '');
    const places = (all: Position[]) => this.put(all.map(([lon, lat]) => [lat!, lon!]));
    if (geometry.type === 'Polygon' && geometry.coordinates.length === 1) places(geometry.coordinates[0]!.slice(0, -1));
    else if (geometry.type === 'LineString') [this.shape] = ['line', places(geometry.coordinates)] as [Shape, void];
    else if (geometry.type === 'Point') [this.shape] = ['point', places([geometry.coordinates])] as [Shape, void];
    else this.fixed = geometry;
  }

  /** What shapes a zone of this sort may have. */
  get shapes(): Shape[] {
    return LINES.includes(this.sort) ? ['line', 'area'] : POINTS.includes(this.sort) ? ['area', 'point'] : ['area'];
  }

  set(sort: string): void {
    this.sort = sort;
    if (!this.shapes.includes(this.shape)) this.shape = this.shapes[0]!;
    if (sort !== 'area') [this.sea, this.air] = [true, false];
  }

  put(points: [number, number][]): void {
    this.points = points;
    this.wrongLines = [];
    this.text = points.map(([lat, lon]) => position(lat, lon, this.#form)).join('\n');
  }

  add(lat: number, lon: number): void {
    if (this.fixed) return;
    const place: [number, number] = [Number(lat.toFixed(SIGNS)), Number(lon.toFixed(SIGNS))];
    this.put(this.shape === 'point' ? [place] : [...this.points, place]);
  }

  removeLast(): void {
    this.put(this.points.slice(0, -1));
  }

  /** What somebody has typed. A line that was not touched keeps the place behind it, to the last decimal. */
  type(text: string): void {
    const exact = new Map(this.points.map((place) => [position(...place, this.#form), place]));
    const lines = text.split('\n').map((line) => line.trim());
    const places = lines.map((line) => exact.get(line) ?? parsePosition(line));
    this.text = text;
    this.wrongLines = lines.flatMap((line, i) => (line && !places[i] ? [i + 1] : []));
    this.points = places.filter((place) => place !== null);
  }

  get geometry(): Geometry {
    if (this.fixed) return this.fixed;
    const places = this.points.map(([lat, lon]) => [lon, lat]);
    if (this.shape === 'point') return { type: 'Point', coordinates: places[0] ?? [] };
    if (this.shape === 'line') return { type: 'LineString', coordinates: places };
    return { type: 'Polygon', coordinates: [places.length ? [...places, places[0]!] : []] };
  }

  get feature(): Feature {
    const number = (text: string) => (text.trim() && Number.isFinite(Number(text)) ? Number(text) : text.trim());
    const given = Object.entries({
      sort: this.sort === 'area' ? '' : this.sort,
      reach_m: this.shape === 'area' ? '' : number(this.reach),
      [`floor_${this.unit}`]: number(this.floor),
      [`ceiling_${this.unit}`]: number(this.ceiling),
      approximate: this.approximate || '',
      source: this.source.trim(),
    }).filter(([, value]) => value !== '');
    const domains = [this.sea ? 'sea' : '', this.air ? 'air' : ''].filter(Boolean);
    const title = { en: this.en.trim() || this.name, sv: this.sv.trim() || this.en.trim() || this.name };
    const properties = { name: this.name, title, domains, ...Object.fromEntries(given), ...this.#others };
    return { type: 'Feature', properties, geometry: this.geometry };
  }

  /** For the map: the shape so far, and its corners. */
  get drawn(): FeatureCollection {
    const corner = (place: [number, number]): Feature => ({
      type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [place[1], place[0]] },
    });
    const whole = this.fixed || (this.shape === 'area' && this.points.length > 2);
    const line: Geometry = { type: 'LineString', coordinates: this.points.map(([lat, lon]) => [lon, lat]) };
    const shape = whole ? this.geometry : line;
    const features = whole || this.points.length > 1 ? [{ type: 'Feature' as const, properties: {}, geometry: shape }] : [];
    return { type: 'FeatureCollection', features: [...features, ...this.points.map(corner)] };
  }
}

class Drawing {
  /** Set while a zone is drawn: where clicks on the map go. */
  now = $state.raw<ZoneDraft | null>(null);
}

export const drawing = new Drawing();
