/** Spacing of the float32 (or float64) numbers at max(|value|, 1): below 1 an error counts as it does at 1. */
export function ulpAt(value: number, mantissaBits = 23): number {
  return 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 1))) - mantissaBits);
}

/** The largest error in ulp of max(|y|, 1). Infinite when something is not a number. */
export function maxUlpError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  mantissaBits = 23,
): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error =
      Math.abs((actual[i] as number) - (expected[i] as number)) / ulpAt(expected[i] as number, mantissaBits);
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return worst;
}

/** The first element that is not within `absolute + relative * |expected|`, worded; undefined when all are. */
export function firstMismatch(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  relative: number,
  absolute: number,
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} elements, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const [got, wanted] = [actual[i] as number, expected[i] as number];
    if (!(Math.abs(got - wanted) <= absolute + relative * Math.abs(wanted)))
      return `element ${i}: ${got}, expected ${wanted}`;
  }
  return undefined;
}

/** The bits of float32 or float64 numbers. */
function bitsOf(array: Float32Array | Float64Array): Uint32Array {
  return new Uint32Array(array.buffer.slice(array.byteOffset, array.byteOffset + array.byteLength));
}

/** Expects the same bits, -0 and NaN told apart. Much faster than `toEqual`, which large arrays would feel. */
export function expectSameBits(
  actual: Float32Array | Float64Array,
  expected: Float32Array | Float64Array,
): void {
  const [a, b] = [bitsOf(actual), bitsOf(expected)];
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  expect({ length: a.length, same }).toEqual({ length: b.length, same: b.length });
}
