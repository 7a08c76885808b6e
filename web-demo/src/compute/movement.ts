// What is different between two results, to the last bit.

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A function that says whether element i is not the same bits in both. */
export function differing(a: Floats, b: Floats): (i: number) => boolean {
  const words = a.BYTES_PER_ELEMENT / 4;
  const [p, q] = [bitsOf(a), bitsOf(b)];
  if (words === 1) return (i) => p[i] !== q[i];
  return (i) => p[2 * i] !== q[2 * i] || p[2 * i + 1] !== q[2 * i + 1];
}

function bitsOf(values: Floats): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
}

/**
 * @param size - elements of a sample
 * @returns how many values moved, in how many samples, and how far the farthest went; infinitely far where one is no number
 */
export function movementOf(
  before: Floats,
  after: Floats,
  size: number,
): { values: number; samples: number; largest: number } {
  const differs = differing(before, after);
  let [values, samples, largest, last] = [0, 0, 0, -1];
  for (let i = 0; i < after.length; i++) {
    if (!differs(i)) continue;
    values++;
    const distance = Math.abs((after[i] as number) - (before[i] as number));
    if (!(distance <= largest)) largest = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    const sample = Math.floor(i / size);
    if (sample !== last) samples++;
    last = sample;
  }
  return { values, samples, largest };
}
