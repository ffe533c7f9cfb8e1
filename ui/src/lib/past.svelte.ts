// Looking back: the picture as it was known here, or as a partner had been given it, at an earlier time.
// The node tells it; nothing that this browser happened to see is used.
import { api, Failure } from './api';
import type { AsView, Known } from './types';

export const SPEEDS = [1, 10, 60, 300, 1200];
export const STEP_US = 60e6;
export const PLAY_BACK_US = 3600e6; // where playing begins when nothing was chosen: an hour back
const MOVE_MS = 100;
const FRAME_MS = 200; // frames are asked for at most this often
const NOTE_MS = 2000; // while it plays, the address is written anew this often: browsers allow no more

export interface Host {
  liveUs(): number;
  reader(): string | null;
  viewport(): number[];
  frame(bytes: ArrayBuffer): void;
  left(): void;
  denied(): void;
}

export class Past {
  atUs = $state<number | null>(null);
  playing = $state(false);
  speed = $state(60);
  known = $state.raw<Known | null>(null);
  as = $state.raw<AsView | null>(null);
  frameUs = $state<number | null>(null); // of the tracks that are drawn; null while none of the past are
  failed = $state(false);
  notedUs = $state<number | null>(null); // as the page's address tells it

  #host: Host;
  #timer = 0;
  #movedMs = 0;
  #notedMs = 0;
  #frameMs = 0;
  #frameOf = '';
  #asksFrame = false;
  #asksKnown = false;

  constructor(host: Host) {
    this.#host = host;
  }

  get on(): boolean {
    return this.atUs !== null;
  }

  /** Look at a time; at now or beyond, at what is live. */
  go(us: number): void {
    if (us >= this.#host.liveUs()) return this.leave();
    this.atUs = Math.max(0, Math.round(us));
    this.notedUs = this.atUs;
    if (!this.#timer) {
      this.#movedMs = performance.now();
      this.#timer = window.setInterval(() => this.#move(), MOVE_MS);
    }
    this.#load();
  }

  /** Back to what is live. */
  leave(): void {
    if (!this.on) return;
    clearInterval(this.#timer);
    this.#timer = 0;
    this.atUs = this.notedUs = this.frameUs = null;
    this.playing = this.failed = false;
    this.known = null;
    this.as = null;
    this.#frameOf = '';
    this.#host.left();
  }

  toggle(): void {
    if (!this.on) this.go(this.#host.liveUs() - PLAY_BACK_US);
    this.playing = !this.playing;
  }

  step(by: number): void {
    this.playing = false;
    this.go((this.atUs ?? this.#host.liveUs()) + by * STEP_US);
  }

  /** Something else is looked at: another part of the map, another reader. */
  look(): void {
    if (this.on) this.#load();
  }

  #move(): void {
    const nowMs = performance.now();
    const by = (nowMs - this.#movedMs) * 1000 * this.speed;
    this.#movedMs = nowMs;
    if (this.playing && this.atUs !== null) {
      this.atUs += Math.round(by);
      if (this.atUs >= this.#host.liveUs()) return this.leave();
      if (nowMs - this.#notedMs > NOTE_MS) {
        this.#notedMs = nowMs;
        this.notedUs = this.atUs;
      }
    } else if (this.notedUs !== this.atUs) this.notedUs = this.atUs;
    this.#load();
  }

  #load(): void {
    if (!this.#asksFrame) void this.#loadFrame();
    if (!this.#asksKnown) void this.#loadKnown();
  }

  async #loadFrame(): Promise<void> {
    const [us, box] = [this.atUs!, this.#host.viewport()];
    const of = `${us} ${box.join()}`;
    if (of === this.#frameOf || performance.now() - this.#frameMs < FRAME_MS || !box.length) return;
    this.#asksFrame = true;
    this.#frameMs = performance.now();
    await this.#asking(async () => {
      const bytes = await api.pastFrame(us, box);
      if (!this.on) return;
      this.#frameOf = of;
      this.frameUs = us;
      this.#host.frame(bytes);
    });
    this.#asksFrame = false;
  }

  async #loadKnown(): Promise<void> {
    const [us, reader] = [this.atUs!, this.#host.reader()];
    const held = reader ? this.as : this.known;
    const same = held && us >= held.at_us! && us < (held.until_us ?? Infinity);
    if (same && (!reader || this.as!.reader === reader)) return;
    this.#asksKnown = true;
    await this.#asking(async () => {
      if (reader) {
        const as = await api.pastAs(us, reader);
        if (this.on) this.as = as;
      } else {
        const known = await api.past(us);
        if (this.on) this.known = known;
      }
    });
    this.#asksKnown = false;
  }

  async #asking(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      this.failed = false;
    } catch (why) {
      if (why instanceof Failure && why.status === 401) this.#host.denied();
      this.failed = true;
    }
  }
}
