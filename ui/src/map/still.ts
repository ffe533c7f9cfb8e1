// A still of the map for paper: the same view in the colours of day, at twice the dots of a screen.
import type { Map } from 'maplibre-gl';
import type { Still } from '../lib/sheet';
import { COLOURS, type Colours } from './palette';
import { recolour } from './style';

const DOTS = 2;
const PATIENCE_MS = 5000; // a map that never comes to rest is taken as it is
const BAR_PX = 170; // about how long the scale may be
const NM_M = 1852;
const STEPS_NM = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];

/** colour: gives the whole map other colours. */
export async function takeStill(map: Map, shown: Colours, colour: (colours: Colours) => void): Promise<Omit<Still, 'layers' | 'craft'>> {
  const dots = map.getPixelRatio();
  try {
    colour(COLOURS.day);
    map.setPixelRatio(Math.max(DOTS, dots));
    await rest(map);
    const canvas = await drawn(map);
    const seen = map.getBounds();
    return {
      canvas,
      box: [seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()],
      scale: scale(map, canvas.width / map.getCanvas().clientWidth),
    };
  } finally {
    map.setPixelRatio(dots);
    colour(shown);
  }
}

/** All of a map's colours at once: its layers', and those of the layers that we draw. */
export function recolouring(map: Map, ours: { colours: Colours }[]): (colours: Colours) => void {
  return (colours) => {
    for (const layer of ours) layer.colours = colours;
    recolour(map, colours);
  };
}

function rest(map: Map): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, PATIENCE_MS);
    void map.once('idle', () => {
      clearTimeout(timer);
      done();
    });
    map.triggerRepaint();
  });
}

/** A copy of what is drawn: it can be read only in the frame that drew it. */
function drawn(map: Map): Promise<HTMLCanvasElement> {
  return new Promise((done) => {
    void map.once('render', () => {
      const from = map.getCanvas();
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [from.width, from.height];
      canvas.getContext('2d')!.drawImage(from, 0, 0);
      done(canvas);
    });
    map.triggerRepaint();
  });
}

function scale(map: Map, dots: number): Still['scale'] {
  const y = map.getCanvas().clientHeight / 2;
  const metres = map.unproject([0, y]).distanceTo(map.unproject([BAR_PX, y]));
  const nm = STEPS_NM.findLast((step) => step * NM_M <= metres) ?? STEPS_NM[0]!;
  return { px: ((nm * NM_M) / metres) * BAR_PX * dots, nm };
}

/** The still as a picture that can stand alone: its marking is on it, its scale, and that it is an exercise. */
export function asPicture(still: Still, marking: string, colour: string, exercise: string | null): string {
  const { canvas, scale: bar } = still;
  const made = document.createElement('canvas');
  [made.width, made.height] = [canvas.width, canvas.height];
  const on = made.getContext('2d')!;
  const unit = canvas.width / 1100; // so that words are of one size on paper, whatever the screen
  const font = (weight: number, px: number) => `${weight} ${px * unit}px "IBM Plex Sans Variable", sans-serif`;
  on.drawImage(canvas, 0, 0);
  if (exercise) watermark(on, exercise, font(700, 44), unit);

  on.font = font(600, 15);
  on.textBaseline = 'middle';
  const width = on.measureText(marking).width + 20 * unit;
  on.fillStyle = '#000';
  on.fillRect(made.width - width - 10 * unit, 10 * unit, width, 26 * unit);
  on.fillStyle = colour;
  on.fillText(marking, made.width - width, 23.5 * unit);

  const [x, y] = [16 * unit, made.height - 16 * unit];
  on.fillStyle = 'rgb(255 255 255 / 0.8)';
  on.fillRect(x - 8 * unit, y - 26 * unit, bar.px + 16 * unit, 34 * unit);
  on.strokeStyle = on.fillStyle = '#10202b';
  on.lineWidth = 1.6 * unit;
  on.beginPath();
  on.moveTo(x, y - 6 * unit);
  on.lineTo(x, y);
  on.lineTo(x + bar.px, y);
  on.lineTo(x + bar.px, y - 6 * unit);
  on.stroke();
  on.font = font(500, 13);
  on.fillText(`${bar.nm} nm`, x + 5 * unit, y - 13 * unit);
  return made.toDataURL('image/png');
}

function watermark(on: CanvasRenderingContext2D, word: string, font: string, unit: number): void {
  on.save();
  on.font = font;
  on.fillStyle = 'rgb(163 20 143 / 0.11)';
  on.translate(on.canvas.width / 2, on.canvas.height / 2);
  on.rotate(-0.42);
  const [across, down] = [430 * unit, 190 * unit];
  for (let row = -6; row <= 6; row++) {
    for (let column = -4; column <= 4; column++) on.fillText(word, (column + (row % 2) / 2) * across, row * down);
  }
  on.restore();
}
