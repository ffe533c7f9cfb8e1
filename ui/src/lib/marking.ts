// TLP 2.0: labels, and their colours on black as the standard (FIRST, 2022) gives them.

export const MARKINGS = ['TLP:CLEAR', 'TLP:GREEN', 'TLP:AMBER', 'TLP:AMBER+STRICT', 'TLP:RED'] as const;

/** The class that colours a marking; nothing unknown may look harmless. */
export function markingClass(marking: string | null): string {
  switch (marking) {
    case 'TLP:CLEAR':
      return 'tlp-clear';
    case 'TLP:GREEN':
      return 'tlp-green';
    case 'TLP:AMBER':
    case 'TLP:AMBER+STRICT':
      return 'tlp-amber';
    case null:
      return 'tlp-gone';
    default:
      return 'tlp-red';
  }
}

const COLOURS: Record<string, string> = { 'tlp-clear': '#fff', 'tlp-green': '#33ff00', 'tlp-amber': '#ffc000', 'tlp-red': '#ff2b2b' };

/** Its colour on black, for what no style sheet reaches. */
export function markingColour(marking: string): string {
  return COLOURS[markingClass(marking)]!;
}

/** The most closed of several, TLP:CLEAR of none; a label that is none of ours counts as the most closed of all. */
export function strictest(markings: Iterable<string>): string {
  const ranks = [...markings].map((marking) => (MARKINGS as readonly string[]).indexOf(marking));
  return ranks.includes(-1) ? MARKINGS.at(-1)! : MARKINGS[Math.max(0, ...ranks)]!;
}
