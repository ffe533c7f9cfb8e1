// A craft's name on the wire and in the frame: domain 1 is sea (MMSI), 2 is air (ICAO 24-bit address).

export const SEA = 1;
export const AIR = 2;

export interface CraftId {
  domain: number;
  number: number;
}

/** A partner may show a track without telling whose it is: its number is 0. */
export function craftText({ domain, number }: CraftId): string {
  if (number === 0) return '–';
  return domain === SEA
    ? `mmsi:${String(number).padStart(9, '0')}`
    : `icao:${number.toString(16).padStart(6, '0')}`;
}

export function craftFromText(text: unknown): CraftId | null {
  const found = typeof text === 'string' ? /^(mmsi):(\d{9})$|^(icao):([0-9a-f]{6})$/.exec(text) : null;
  if (!found) return null;
  return found[1]
    ? { domain: SEA, number: Number(found[2]) }
    : { domain: AIR, number: parseInt(found[4]!, 16) };
}
