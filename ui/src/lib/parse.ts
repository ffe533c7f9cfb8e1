// Places as people type them: every form that the page itself writes.
import { toPoint } from 'mgrs';

const NUMBER = String.raw`(\d{1,3}(?:\.\d+)?)`;
const DECIMAL = /^([+-]?\d{1,3}(?:\.\d+)?)\s*[,;\s]\s*([+-]?\d{1,3}(?:\.\d+)?)$/;
const HALVES = /^(.*?)([NS])[\s,;]*(.*?)([EW])$/i;
const ANGLE = new RegExp(String.raw`^${NUMBER}\s*(?:[°\s]\s*${NUMBER}\s*(?:['′\s]\s*(?:${NUMBER}\s*["″]?)?)?)?°?\s*$`);
const GRID = /^\d{1,2}[C-HJ-NP-X]\s*[A-HJ-NP-Z]{2}\s*\d[\d\s]*$/i;

/** Degrees of `57°38.250′`, `57 38 15`, `57.6375`; null: no angle. */
function angle(text: string): number | null {
  const found = ANGLE.exec(text.trim());
  if (!found) return null;
  const [degrees, minutes, seconds] = [found[1], found[2], found[3]].map((part) => Number(part ?? 0)) as [number, number, number];
  return minutes < 60 && seconds < 60 ? degrees + minutes / 60 + seconds / 3600 : null;
}

function within(lat: number | null, lon: number | null): [number, number] | null {
  return lat !== null && lon !== null && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lat, lon] : null;
}

/** Latitude and longitude in degrees of a place in decimal degrees, in minutes, in seconds or in MGRS; null: none. */
export function parsePosition(text: string): [number, number] | null {
  const typed = text.trim();
  const plain = DECIMAL.exec(typed);
  if (plain) return within(Number(plain[1]), Number(plain[2]));
  const halves = HALVES.exec(typed);
  if (halves) {
    const [lat, lon] = [angle(halves[1]!), angle(halves[3]!)];
    const [south, west] = [/s/i.test(halves[2]!), /w/i.test(halves[4]!)];
    return within(lat && (south ? -lat : lat), lon && (west ? -lon : lon));
  }
  if (!GRID.test(typed)) return null;
  try {
    const [lon, lat] = toPoint(typed.replace(/\s/g, '').toUpperCase()) as [number, number];
    return within(lat, lon);
  } catch {
    return null; // a square that the grid does not have
  }
}
