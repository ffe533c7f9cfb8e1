// How this screen shows things: for which light, and how places are written. Kept in the browser.
import type { PlaceForm } from './format';

export type Palette = 'night' | 'dusk' | 'day';
export const PALETTES: Palette[] = ['night', 'dusk', 'day'];
export const PLACE_FORMS: PlaceForm[] = ['minutes', 'seconds', 'decimal', 'mgrs'];

const PALETTE_KEPT = 'samsyn.palette';
const PLACES_KEPT = 'samsyn.places';

class Sight {
  palette = $state<Palette>(kept(PALETTE_KEPT, PALETTES));
  places = $state<PlaceForm>(kept(PLACES_KEPT, PLACE_FORMS));

  constructor() {
    document.documentElement.dataset.palette = this.palette;
  }

  nextPalette(): void {
    this.palette = after(this.palette, PALETTES);
    document.documentElement.dataset.palette = this.palette;
    localStorage.setItem(PALETTE_KEPT, this.palette);
  }

  nextPlaces(): void {
    this.places = after(this.places, PLACE_FORMS);
    localStorage.setItem(PLACES_KEPT, this.places);
  }
}

function kept<T extends string>(key: string, all: T[]): T {
  const found = localStorage.getItem(key) as T | null;
  return found && all.includes(found) ? found : all[0]!;
}

function after<T>(now: T, all: T[]): T {
  return all[(all.indexOf(now) + 1) % all.length]!;
}

export const sight = new Sight();
