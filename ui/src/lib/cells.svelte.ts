// The layers that are made of counts: how many craft in each cell had lost or poor satellite positions.
import { api } from './api';
import type { Interference, InterferenceCell } from './types';

const HOUR_US = 3600e6;
const EVERY_MS = 60_000; // live: the running hour grows

export class Cells {
  interference = $state.raw<Interference | null>(null);
  failed = $state(false);

  #hour = -1;
  #askedMs = -Infinity;
  #asks = false;

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
      this.interference = await api.interference(atUs === null ? null : Math.round(atUs));
      this.failed = false;
    } catch {
      this.interference = null;
      this.failed = true;
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
