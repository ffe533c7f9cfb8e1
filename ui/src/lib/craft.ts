// A craft's name on the wire and in the frame: domain 1 is sea (MMSI), 2 is air (ICAO 24-bit address);
// 3 and 4 are tracks of a sensor at sea and in the air, whose craft nobody names.

export const SEA = 1;
export const AIR = 2;
export const UNNAMED = 2; // added to the domain

/** Whether it moves at sea or in the air. */
export function layerOf(domain: number): number {
  return domain > UNNAMED ? domain - UNNAMED : domain;
}

export interface CraftId {
  domain: number;
  number: number;
}

/** A partner may show a track without telling whose it is: its number is 0. */
export function craftText({ domain, number }: CraftId): string {
  if (number === 0) return '–';
  if (domain > UNNAMED) return `${layerOf(domain) === AIR ? 'air' : 'sea'}-track:${number.toString(16).padStart(8, '0')}`;
  return domain === SEA
    ? `mmsi:${String(number).padStart(9, '0')}`
    : `icao:${number.toString(16).padStart(6, '0')}`;
}

export function craftFromText(text: unknown): CraftId | null {
  const found = typeof text === 'string' ? /^(mmsi):(\d{9})$|^(icao):([0-9a-f]{6})$|^(sea|air)-track:([0-9a-f]{8})$/.exec(text) : null;
  if (!found) return null;
  if (found[5]) return { domain: (found[5] === 'air' ? AIR : SEA) + UNNAMED, number: parseInt(found[6]!, 16) };
  return found[1]
    ? { domain: SEA, number: Number(found[2]) }
    : { domain: AIR, number: parseInt(found[4]!, 16) };
}
