// The symbols of MIL-STD-2525 and APP-6, drawn by milsymbol. Loaded only once somebody wants them.
import { ms, numberair, numbersea } from 'milsymbol/parts';
import type { Palette } from '../lib/sight.svelte';

ms.addIcons([numberair, numbersea]);

const DOTS = 2; // of the drawing for one of the screen
const FRAME_PX = 20; // the library's measure of a symbol: its octagon
const CELL_PX = 52; // room for one, with the sign of an exercise beside it

function symbol(code: string, size: number, palette: Palette) {
  const [around, words] = palette === 'day' ? ['white', 'black'] : ['black', '#dbe6ed'];
  return new ms.Symbol(code, { size, outlineWidth: 2, outlineColor: around, infoColor: words, colorMode: 'Light' });
}

/** One symbol as a picture that CSS can size. */
export function picture(code: string, palette: Palette): string {
  return symbol(code, 2 * FRAME_PX, palette).asCanvas(DOTS).toDataURL();
}

/** All symbols in one drawing, each in the middle of a square cell, row by row. */
export interface Atlas {
  canvas: HTMLCanvasElement;
  columns: number;
  cellPx: number; // on the screen, at full size
}

export function atlas(codes: string[], palette: Palette): Atlas {
  const columns = Math.ceil(Math.sqrt(codes.length));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = columns * CELL_PX * DOTS;
  const on = canvas.getContext('2d')!;
  codes.forEach((code, i) => {
    const one = symbol(code, FRAME_PX, palette);
    const { x, y } = one.getOctagonAnchor();
    const [column, row] = [i % columns, Math.floor(i / columns)];
    on.drawImage(one.asCanvas(DOTS), ((column + 0.5) * CELL_PX - x) * DOTS, ((row + 0.5) * CELL_PX - y) * DOTS);
  });
  return { canvas, columns, cellPx: CELL_PX };
}
