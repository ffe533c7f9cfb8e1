// Short trails of all craft: where each was in the last minutes, as this page has seen it, drawn with WebGL2.
// The trail of one craft over hours comes from the node (lib/trail.svelte.ts).
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from 'maplibre-gl';
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

  /** The frame of a time. Nothing is kept while trails are off. */
  add(frame: Frame, atUs: number): void {
    if (!this.on || atUs < this.#atUs || atUs - this.#atUs > LEAP_US || this.#slots.size > CRAFT_MAX) this.clear();
    if (!this.on) return;
    this.#atUs = atUs;
    const atS = atUs / 1e6;
    for (let i = 0; i < frame.count; i++) {
      if (frame.number[i] === 0) continue; // whose it is was not told: it cannot be followed
      const slot = this.#slot(frame.key(i));
      const heardS = atS - frame.age[i]!;
      const first = slot * POINTS;
      if (this.#times[first]! && heardS - this.#times[first]! < EVERY_S[frame.domain[i]!]!) continue;
      this.#xs.copyWithin(first + 1, first, first + POINTS - 1);
      this.#ys.copyWithin(first + 1, first, first + POINTS - 1);
      this.#times.copyWithin(first + 1, first, first + POINTS - 1);
      this.#xs[first] = mercatorX(frame.lon[i]!);
      this.#ys[first] = mercatorY(frame.lat[i]!);
      this.#times[first] = heardS;
    }
    this.#fill(frame);
    this.#map?.triggerRepaint();
  }

  clear(): void {
    this.#slots.clear();
    this.#times.fill(0);
    this.#count = 0;
    this.#atUs = 0;
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

  #slot(key: number): number {
    const there = this.#slots.get(key);
    if (there !== undefined) return there;
    const slot = this.#slots.size;
    this.#slots.set(key, slot);
    if ((slot + 1) * POINTS > this.#xs.length) {
      const size = Math.max(4096 * POINTS, this.#xs.length * 2);
      for (const name of ['xs', 'ys', 'times'] as const) this.#grow(name, size);
    }
    return slot;
  }

  #grow(name: 'xs' | 'ys' | 'times', size: number): void {
    const more = new Float64Array(size);
    more.set(name === 'xs' ? this.#xs : name === 'ys' ? this.#ys : this.#times);
    if (name === 'xs') this.#xs = more;
    else if (name === 'ys') this.#ys = more;
    else this.#times = more;
  }

  #fill(frame: Frame): void {
    const most = frame.count * POINTS * 2 * FLOATS;
    if (this.#lines.length < most) this.#lines = new Float32Array(most);
    const centre = this.#map?.getCenter();
    this.#origin = centre ? [mercatorX(centre.lng), mercatorY(centre.lat)] : [0.5, 0.5];
    const [ox, oy] = this.#origin;
    const out = this.#lines;
    let to = 0;
    const put = (x: number, y: number, domain: number, old: number) => {
      out[to++] = x - ox;
      out[to++] = y - oy;
      out[to++] = domain;
      out[to++] = old / POINTS;
    };
    for (let i = 0; i < frame.count; i++) {
      const domain = frame.domain[i]!;
      const slot = this.#slots.get(frame.key(i));
      if (slot === undefined) continue;
      const first = slot * POINTS;
      let [x, y] = [mercatorX(frame.lon[i]!), mercatorY(frame.lat[i]!)];
      for (let k = 0; k < POINTS && this.#times[first + k]; k++) {
        const [before, beforeY] = [this.#xs[first + k]!, this.#ys[first + k]!];
        if (Math.abs(before - x) + Math.abs(beforeY - y) < FAR) {
          put(x, y, domain, k);
          put(before, beforeY, domain, k + 1);
        }
        [x, y] = [before, beforeY];
      }
    }
    this.#count = to / FLOATS;
    this.#dirty = true;
  }
}

