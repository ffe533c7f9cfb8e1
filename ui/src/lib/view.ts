// What one may look at: the lists, their filters, the panels, the layers of the map.
import type { CraftId } from './craft';

export type Tab = 'inbox' | 'findings' | 'partners' | 'feeds';
export const TABS: Tab[] = ['inbox', 'findings', 'partners', 'feeds'];
export type Filter = 'all' | 'todo' | 'mine' | 'open' | 'own' | 'partners' | 'withdrawn';
export const FILTERS: Filter[] = ['all', 'todo', 'mine', 'open', 'own', 'partners', 'withdrawn'];

/** Where the map begins, unless the page's address says otherwise: west, south, east, north. */
export const HOME: [number, number, number, number] = [8.2, 53.6, 30.5, 66];

/** What lies over the map. */
export type Page = 'map' | 'policy' | 'audit' | 'settings';
export const PAGES: Page[] = ['map', 'policy', 'audit', 'settings'];

/** What the right-hand panel shows. */
export type Shown =
  | { what: 'statement'; jti: string }
  | { what: 'finding'; key: string }
  | { what: 'craft'; id: CraftId }
  | { what: 'as'; jti: string }
  | { what: 'zone' }
  | { what: 'say'; at: [number, number] | null };

/** The layers of a page just opened, in the order of their keys: 1 to 9 and 0. */
export const LAYERS = {
  sea: true, air: true, vectors: true, trails: false, statements: true, zones: true, interference: false,
  activity: false, graticule: false, symbols: false,
};
export type LayerName = keyof typeof LAYERS;
export const LAYER_NAMES = Object.keys(LAYERS) as LayerName[];

export const layerKey = (at: number) => String((at + 1) % 10);
