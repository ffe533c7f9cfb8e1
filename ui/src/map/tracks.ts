// Live tracks, drawn by ourselves with WebGL2 inside the map: one buffer, one call, 100,000 craft.
//
// Positions are kept relative to a point near the middle of the view, so that 32-bit numbers do
// not tremble when one looks closely; the matrix is moved there in 64 bits.
import type { CustomLayerInterface, CustomRenderMethodInput, Map } from 'maplibre-gl';
import { AIR, SEA, type CraftId } from '../lib/craft';
import { EMERGENCY, type Frame } from './frame';
import { COLOURS, type Colours } from './palette';
import { MARKS_FRAGMENT, MARKS_VERTEX, SYMBOLS_FRAGMENT, SYMBOLS_VERTEX, VECTORS_FRAGMENT, VECTORS_VERTEX } from './shaders';
import type { Atlas } from './symbols';
import { compile, layout, mercatorX, mercatorY, moved, type Program } from './webgl';

const EARTH_ROUND_M = 40_075_016.686;
const KNOT_M_S = 1852 / 3600;
const VECTOR_ZOOM = 7; // from here on a line shows where a craft will be
const VECTOR_S: Record<number, number> = { [SEA]: 360, [AIR]: 60 };
const MOVING_KN = 0.5;
const FLOATS = 7; // x, y, course in radians (or NONE), age, domain, flags, symbol
/** With more craft in sight than this symbols would cover each other: they are drawn as marks. */
export const SYMBOLS_MOST = 3000;
const NONE = -10;

export class TrackLayer implements CustomLayerInterface {
  readonly id = 'tracks';
  readonly type = 'custom';
  readonly renderingMode = '2d';

  frame: Frame | null = null;
  shown = { sea: true, air: true, vectors: true };
  hidden = false; // nothing at all is drawn, not even who is in distress
  colours: Colours = COLOURS.night;
  atlas: Atlas | null = null; // set: craft are drawn as symbols

  #map: Map | null = null;
  #marks: Program | null = null;
  #vectors: Program | null = null;
  #symbols: Program | null = null;
  #texture: WebGLTexture | null = null;
  #drawn: Atlas | null = null; // in the texture
  #marksBuffer: WebGLBuffer | null = null;
  #vectorsBuffer: WebGLBuffer | null = null;
  #marksArray: WebGLVertexArrayObject | null = null;
  #vectorsArray: WebGLVertexArrayObject | null = null;
  #places = new Float32Array(0); // x, y of each row of the frame, from #origin
  #points = new Float32Array(0);
  #lines = new Float32Array(0);
  #lineCount = 0;
  #first = true;
  #origin: [number, number] = [0, 0];
  #dirty = false;

  onAdd(map: Map, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#marks = compile(gl, MARKS_VERTEX, MARKS_FRAGMENT);
    this.#vectors = compile(gl, VECTORS_VERTEX, VECTORS_FRAGMENT);
    this.#symbols = compile(gl, SYMBOLS_VERTEX, SYMBOLS_FRAGMENT);
    this.#texture = gl.createTexture();
    this.#marksBuffer = gl.createBuffer();
    this.#vectorsBuffer = gl.createBuffer();
    this.#marksArray = layout(gl, this.#marksBuffer, [2, 1, 1, 1, 1, 1]);
    this.#vectorsArray = layout(gl, this.#vectorsBuffer, [2, 1]);
    this.#dirty = true;
  }

  update(frame: Frame): void {
    this.frame = frame;
    const centre = this.#map?.getCenter();
    this.#origin = centre ? [mercatorX(centre.lng), mercatorY(centre.lat)] : [0.5, 0.5];
    this.#fill(frame);
    this.#dirty = true;
    this.#map?.triggerRepaint();
  }

  /** The craft nearest to a place on the map, within `reach` pixels. */
  pick(lat: number, lon: number, reach: number): CraftId | null {
    if (this.hidden || !this.frame || !this.#map) return null;
    const dx = mercatorX(lon) - this.#origin[0];
    const dy = mercatorY(lat) - this.#origin[1];
    let best = (reach / (512 * 2 ** this.#map.getZoom())) ** 2;
    let found = -1;
    for (let i = 0; i < this.frame.count; i++) {
      if (!this.#visible(this.frame.domain[i]!)) continue;
      const far = (this.#places[2 * i]! - dx) ** 2 + (this.#places[2 * i + 1]! - dy) ** 2;
      if (far < best) [best, found] = [far, i];
    }
    return found < 0 ? null : this.frame.id(found);
  }

  render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    const map = this.#map;
    if (!map || this.hidden || !this.frame?.count) return;
    if (this.#dirty) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#marksBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.#points, gl.DYNAMIC_DRAW);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#vectorsBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.#lines, gl.DYNAMIC_DRAW);
      this.#dirty = false;
    }
    const matrix = moved(input.defaultProjectionData.mainMatrix, this.#origin);
    const zoom = map.getZoom();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (this.shown.vectors && zoom >= VECTOR_ZOOM) this.#drawVectors(gl, matrix);
    if (this.atlas && this.frame.count <= SYMBOLS_MOST) this.#drawSymbols(gl, matrix, zoom, this.atlas);
    else this.#drawMarks(gl, matrix, zoom);
    gl.bindVertexArray(null);
    if (this.#first) performance.mark('tracks drawn'); // over land and sea: what a first picture is measured by
    this.#first = false;
  }

  #visible(domain: number): boolean {
    return domain === AIR ? this.shown.air : this.shown.sea;
  }

  #drawMarks(gl: WebGL2RenderingContext, matrix: Float32Array, zoom: number): void {
    const { handle, at } = this.#marks!;
    const ratio = this.#map!.getPixelRatio();
    // many craft on a small scale would cover one another: marks shrink as one looks from farther
    const size = Math.max(5, Math.min(19, 5 + (zoom - 3.5) * 2.1));
    gl.useProgram(handle);
    gl.uniformMatrix4fv(at('u_matrix'), false, matrix);
    gl.uniform1f(at('u_size'), size * ratio);
    gl.uniform2f(at('u_shown'), this.shown.sea ? 1 : 0, this.shown.air ? 1 : 0);
    this.#colour(gl, at);
    gl.bindVertexArray(this.#marksArray);
    gl.drawArrays(gl.POINTS, 0, this.frame!.count);
  }

  #drawSymbols(gl: WebGL2RenderingContext, matrix: Float32Array, zoom: number, atlas: Atlas): void {
    const { handle, at } = this.#symbols!;
    gl.useProgram(handle);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    if (this.#drawn !== atlas) {
      gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, atlas.canvas);
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
      gl.generateMipmap(gl.TEXTURE_2D);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
      this.#drawn = atlas;
    }
    // whole only when one looks closely: small scales show where there are many, not what each is
    const share = Math.max(0.5, Math.min(1, 0.5 + (zoom - 4.5) * 0.16));
    gl.uniformMatrix4fv(at('u_matrix'), false, matrix);
    gl.uniform1f(at('u_size'), atlas.cellPx * share * this.#map!.getPixelRatio());
    gl.uniform1f(at('u_columns'), atlas.columns);
    gl.uniform1i(at('u_atlas'), 0);
    gl.uniform2f(at('u_shown'), this.shown.sea ? 1 : 0, this.shown.air ? 1 : 0);
    this.#colour(gl, at);
    gl.bindVertexArray(this.#marksArray);
    gl.drawArrays(gl.POINTS, 0, this.frame!.count);
  }

  #drawVectors(gl: WebGL2RenderingContext, matrix: Float32Array): void {
    const { handle, at } = this.#vectors!;
    gl.useProgram(handle);
    gl.uniformMatrix4fv(at('u_matrix'), false, matrix);
    gl.uniform2f(at('u_shown'), this.shown.sea ? 1 : 0, this.shown.air ? 1 : 0);
    this.#colour(gl, at);
    gl.bindVertexArray(this.#vectorsArray);
    gl.drawArrays(gl.LINES, 0, this.#lineCount * 2);
  }

  #colour(gl: WebGL2RenderingContext, at: Program['at']): void {
    for (const name of ['sea', 'air', 'distress', 'ground'] as const) {
      gl.uniform3fv(at(`u_${name}`), this.colours[name]); // one that a program does not use is passed over
    }
  }

  #fill(frame: Frame): void {
    if (this.#points.length !== frame.count * FLOATS) {
      this.#places = new Float32Array(frame.count * 2);
      this.#points = new Float32Array(frame.count * FLOATS);
      this.#lines = new Float32Array(frame.count * 6);
    }
    // crafts in distress are drawn last, above all others; the lines, all alike, in any order
    let [low, high] = [0, frame.count - 1];
    this.#lineCount = 0;
    for (let i = 0; i < frame.count; i++) {
      const slot = frame.flags[i]! & EMERGENCY ? high-- : low++;
      this.#fillOne(frame, i, slot * FLOATS);
    }
  }

  #fillOne(frame: Frame, i: number, to: number): void {
    const [lat, domain, speed] = [frame.lat[i]!, frame.domain[i]!, frame.speed[i]!];
    const x = mercatorX(frame.lon[i]!) - this.#origin[0];
    const y = mercatorY(lat) - this.#origin[1];
    this.#places[2 * i] = x;
    this.#places[2 * i + 1] = y;
    const course = (frame.course[i]! * Math.PI) / 180;
    const moving = speed > MOVING_KN && !Number.isNaN(course);
    const out = this.#points;
    out[to] = x;
    out[to + 1] = y;
    out[to + 2] = moving ? course : NONE;
    out[to + 3] = frame.age[i]!;
    out[to + 4] = domain;
    out[to + 5] = frame.flags[i]!;
    out[to + 6] = frame.symbol[i] ?? 0;
    if (!moving) return;
    const ahead_m = speed * KNOT_M_S * VECTOR_S[domain]!;
    const ahead = ahead_m / (EARTH_ROUND_M * Math.cos((lat * Math.PI) / 180));
    const lines = this.#lines;
    const line = this.#lineCount++ * 6;
    lines[line] = x;
    lines[line + 1] = y;
    lines[line + 2] = domain;
    lines[line + 3] = x + Math.sin(course) * ahead;
    lines[line + 4] = y - Math.cos(course) * ahead;
    lines[line + 5] = domain;
  }
}
