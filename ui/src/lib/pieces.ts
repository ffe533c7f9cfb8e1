// Long work in pieces, so that a key that is pressed meanwhile is answered between two of them.

const PIECE_MS = 6;
const ROWS_A_LOOK = 2048; // what the clock is asked after

/** Calls `one` with 0 to `count` - 1, in tasks of some milliseconds each; false where `goesOn` said no in between. */
export async function inPieces(count: number, one: (row: number) => void, goesOn: () => boolean): Promise<boolean> {
  let began = performance.now();
  for (let row = 0; row < count; ) {
    const end = Math.min(row + ROWS_A_LOOK, count);
    for (; row < end; row++) one(row);
    if (row < count && performance.now() - began >= PIECE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      if (!goesOn()) return false;
      began = performance.now();
    }
  }
  return true;
}
