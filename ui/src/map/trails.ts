// Short trails of all craft: where each was in the last minutes, as this page has seen it, drawn with WebGL2.
// The trail of one craft over hours comes from the node (lib/trail.svelte.ts).
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from 'maplibre-gl';
import { inPieces } from '../lib/pieces';
import type { Frame } from './frame';
import { COLOURS, type Colours } from './palette';
import { TRAILS_FRAGMENT, TRAILS_VERTEX } from './shaders';
import { compile, layout, mercatorX, mercatorY, moved, type Program } from './webgl';

const POINTS = 8; // of one trail
const EVERY_S = [0, 45, 12]; // between two of them, by domain: ships are slower
const LEAP_US = 600e6; // a picture of a time farther on has nothing to do with the one before
const CRAFT_MAX = 150_000; // then it begins anew: a page may stand open for days
const FAR = 0.005; // of the way round the earth, about 100 km: a leap, and no way that was gone
const FLOATS = 4; // x, y, domain, how old as a share

export class TrailLayer implements CustomLayerInterface {
  readonly id = 'trails';
  readonly type = 'custom';
  readonly renderingMode = '2d';

  on = false;
  shown = { sea: true, air: true };
  colours: Colours = COLOURS.night;

  #map: MapLibre | null = null;
  #program: Program | null = null;
  #buffer: WebGLBuffer | null = null;
  #array: WebGLVertexArrayObject | null = null;
  #slots = new Map<number, number>();
  #keys = new Float64Array(0); // of each slot
  #slotOfRow = new Uint32Array(0); // of the frame before
  #taking: object | null = null; // set: a frame is being taken in
  #xs = new Float64Array(0);
  #ys = new Float64Array(0);
  #times = new Float64Array(0); // seconds; 0 where there is no point yet; newest first
  #atUs = 0;
  #origin: [number, number] = [0, 0];
  #lines = new Float32Array(0);
  #count = 0; // of vertices
  #dirty = false;

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#program = compile(gl, TRAILS_VERTEX, TRAILS_FRAGMENT);
    this.#buffer = gl.createBuffer();
    this.#array = layout(gl, this.#buffer, [2, 1, 1]);
  }

  /** The frame of a time. Nothing is kept while trails are off; a frame that comes while one is taken in is passed over. */
  add(frame: Frame, atUs: number): void {
    if (!this.on || atUs < this.#atUs || atUs - this.#atUs > LEAP_US || this.#slots.size > CRAFT_MAX) this.clear();
    if (this.on && !this.#taking) void this.#take(frame, atUs);
  }

  clear(): void {
    this.#slots.clear();
    this.#times.fill(0);
    this.#count = 0;
    this.#atUs = 0;
    this.#keys.fill(0); // nobody's
    this.#taking = null; // what is being taken in belongs to what was
  }

  render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    if (!this.on || !this.#count || !this.#program) return;
    if (this.#dirty) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.#lines.subarray(0, this.#count * FLOATS), gl.DYNAMIC_DRAW);
      this.#dirty = false;
    }
    const { handle, at } = this.#program;
    gl.useProgram(handle);
    gl.uniformMatrix4fv(at('u_matrix'), false, moved(input.defaultProjectionData.mainMatrix, this.#origin));
    gl.uniform2f(at('u_shown'), this.shown.sea ? 1 : 0, this.shown.air ? 1 : 0);
    for (const name of ['sea', 'air'] as const) gl.uniform3fv(at(`u_${name}`), this.colours[name]);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.#array);
    gl.drawArrays(gl.LINES, 0, this.#count);
    gl.bindVertexArray(null);
  }

  /** Pushes what has moved and fills the lines anew: some 50 ms for 100,000 craft, so in pieces. */
  async #take(frame: Frame, atUs: number): Promise<void> {
    const taking = (this.#taking = {});
    this.#atUs = atUs;
    const most = frame.count * POINTS * 2 * FLOATS;
    if (this.#lines.length < most) [this.#lines, this.#count] = [new Float32Array(most), 0];
    if (this.#slotOfRow.length < frame.count) this.#slotOfRow = new Uint32Array(frame.count);
    const centre = this.#map?.getCenter();
    const origin: [number, number] = centre ? [mercatorX(centre.lng), mercatorY(centre.lat)] : [0.5, 0.5];
    let to = 0;
    const one = (row: number) => {
      if (frame.number[row] === 0) return; // whose it is was not told: it cannot be followed
      const [x, y] = [mercatorX(frame.lon[row]!), mercatorY(frame.lat[row]!)];
      const first = this.#slot(frame.key(row), row) * POINTS;
      const heardS = atUs / 1e6 - frame.age[row]!;
      if (!this.#times[first]! || heardS - this.#times[first]! >= EVERY_S[frame.domain[row]!]!) this.#push(first, x, y, heardS);
      to = this.#line(to, first, x, y, origin, frame.domain[row]!);
    };
    if (!(await inPieces(frame.count, one, () => this.#taking === taking))) return;
    this.#taking = null;
    this.#origin = origin;
    this.#count = to / FLOATS;
    this.#dirty = true;
    this.#map?.triggerRepaint();
  }

  #push(first: number, x: number, y: number, heardS: number): void {
    for (let k = first + POINTS - 1; k > first; k--) {
      this.#xs[k] = this.#xs[k - 1]!;
      this.#ys[k] = this.#ys[k - 1]!;
      this.#times[k] = this.#times[k - 1]!;
    }
    this.#xs[first] = x;
    this.#ys[first] = y;
    this.#times[first] = heardS;
  }

  /** The trail of one slot, from where its craft is now; tells where the next begins. */
  #line(to: number, first: number, x: number, y: number, [ox, oy]: [number, number], domain: number): number {
    const out = this.#lines;
    for (let k = 0; k < POINTS && this.#times[first + k]; k++) {
      const [before, beforeY] = [this.#xs[first + k]!, this.#ys[first + k]!];
      if (Math.abs(before - x) + Math.abs(beforeY - y) < FAR) {
        out[to++] = x - ox;
        out[to++] = y - oy;
        out[to++] = domain;
        out[to++] = k / POINTS;
        out[to++] = before - ox;
        out[to++] = beforeY - oy;
        out[to++] = domain;
        out[to++] = (k + 1) / POINTS;
      }
      [x, y] = [before, beforeY];
    }
    return to;
  }

  /** A craft's slot; most stand in the same row as in the frame before. */
  #slot(key: number, row: number): number {
    const guess = this.#slotOfRow[row]!;
    if (this.#keys[guess] === key) return guess;
    const slot = this.#slots.get(key) ?? this.#newSlot(key);
    this.#slotOfRow[row] = slot;
    return slot;
  }

  #newSlot(key: number): number {
    const slot = this.#slots.size;
    this.#slots.set(key, slot);
    if ((slot + 1) * POINTS > this.#xs.length) {
      const size = Math.max(4096 * POINTS, this.#xs.length * 2);
      this.#xs = grown(this.#xs, size);
      this.#ys = grown(this.#ys, size);
      this.#times = grown(this.#times, size);
      this.#keys = grown(this.#keys, size / POINTS);
    }
    this.#keys[slot] = key;
    return slot;
  }
}

function grown(what: Float64Array<ArrayBuffer>, size: number): Float64Array<ArrayBuffer> {
  const more = new Float64Array(size);
  more.set(what);
  return more;
}
