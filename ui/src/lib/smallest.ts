// The first rows of a long list, without putting all of it in order.

/** Where in `keys` the `most` smallest stand, by size; among equal ones, as they stand. */
export function smallest(keys: Float64Array, most: number): number[] {
  // a heap whose root is the last of those found so far
  const heap: number[] = [];
  const after = (a: number, b: number) => keys[a]! > keys[b]! || (keys[a] === keys[b] && a > b);
  for (let at = 0; at < keys.length; at++) {
    if (heap.length < most) {
      heap.push(at);
      let k = heap.length - 1;
      for (let up = (k - 1) >> 1; k > 0 && after(heap[k]!, heap[up]!); k = up, up = (k - 1) >> 1) {
        [heap[k], heap[up]] = [heap[up]!, heap[k]!];
      }
    } else if (most && keys[at]! < keys[heap[0]!]!) {
      heap[0] = at;
      sink(heap, after);
    }
  }
  return heap.sort((a, b) => (after(a, b) ? 1 : -1));
}

function sink(heap: number[], after: (a: number, b: number) => boolean): void {
  for (let k = 0, down = 1; down < heap.length; k = down, down = 2 * k + 1) {
    if (down + 1 < heap.length && after(heap[down + 1]!, heap[down]!)) down++;
    if (!after(heap[down]!, heap[k]!)) return;
    [heap[k], heap[down]] = [heap[down]!, heap[k]!];
  }
}
