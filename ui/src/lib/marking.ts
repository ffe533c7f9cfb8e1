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
