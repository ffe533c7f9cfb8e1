// The layers that are made of counts, hour by hour.
import type { Interference, InterferenceCell } from './types';

const HOUR_US = 3600e6;
const EVERY_MS = 60_000; // live: the running hour grows

export class Hourly<T> {
  told = $state.raw<T | null>(null);

  #fetch: (atUs: number | null) => Promise<T>;

  #hour = -1;
  #askedMs = -Infinity;
  #asks = false;

  constructor(fetch: (atUs: number | null) => Promise<T>) {
    this.#fetch = fetch;
  }

  /** Called whenever the time shown changes: asks only when another hour, or a minute, has begun. */
  follow(on: boolean, atUs: number, past: boolean): void {
    if (!on || this.#asks) return;
    const hour = Math.floor(atUs / HOUR_US);
    const same = past ? hour === this.#hour : this.#hour === -2 && performance.now() - this.#askedMs < EVERY_MS;
    if (!same) void this.#ask(past ? atUs : null, past ? hour : -2);
  }

  async #ask(atUs: number | null, hour: number): Promise<void> {
    this.#asks = true;
    this.#askedMs = performance.now();
    this.#hour = hour; // one that fails is asked again at the next hour or minute
    try {
      this.told = await this.#fetch(atUs === null ? null : Math.round(atUs));
    } catch {
      this.told = null;
    }
    this.#asks = false;
  }
}

export type CellLook = 'disturbed' | 'touched' | 'quiet';

/** Those whose satellite position was degraded or lost, of all in the cell. */
export const disturbed = (cell: InterferenceCell): number => cell.degraded + cell.lost;

export function cellLook(cell: InterferenceCell, { low, high }: Interference): CellLook {
  const share = disturbed(cell) / cell.craft;
  return share >= high ? 'disturbed' : share >= low ? 'touched' : 'quiet';
}
