// Where the craft that is looked at was before: from what the node keeps, as it was known at the time shown.
import { api } from './api';
import { AIR, craftText, layerOf, type CraftId } from './craft';
import type { Trail } from './types';

const SPAN_US: Record<number, number> = { 1: 6 * 3600e6, [AIR]: 3600e6 }; // ships are slower
const EVERY_MS = 15_000; // live: then it has grown
const LATER_US = 20e6; // in a replay: after so much of its time

export class TrailOf {
  trail = $state.raw<Trail | null>(null);
  id = $state.raw<CraftId | null>(null);

  #askedMs = -Infinity;
  #askedUs = 0;
  #asks = false;

  /** Follow a craft; null: none. Called whenever craft or time change: asks the node only when due. */
  follow(id: CraftId | null, atUs: number, past: boolean): void {
    if (id?.number !== this.id?.number || id?.domain !== this.id?.domain) {
      this.id = id;
      this.trail = null;
      this.#askedMs = -Infinity;
    }
    if (!id || id.number === 0 || this.#asks) return;
    const away = Math.abs(atUs - this.#askedUs);
    const due = past ? away > LATER_US : performance.now() - this.#askedMs > EVERY_MS || away > SPAN_US[layerOf(id.domain)]!;
    if (due || this.#askedMs === -Infinity) void this.#ask(id, Math.round(atUs), past);
  }

  async #ask(id: CraftId, atUs: number, past: boolean): Promise<void> {
    this.#asks = true;
    this.#askedMs = performance.now();
    this.#askedUs = atUs;
    try {
      const from = Math.max(0, atUs - SPAN_US[layerOf(id.domain)]!);
      const found = await api.trail(craftText(id), from, atUs + 1, past ? atUs : null);
      if (this.id === id) this.trail = found;
    } catch {
      if (this.id === id) this.trail = null; // nothing is kept of it: the craft itself is still shown
    }
    this.#asks = false;
  }
}
