// What every page and every worker of the browser tests computes; Node does so as well, to compare.

/** Numbers between -1 and 3 that are the same everywhere: a linear congruential generator, Numerical Recipes' constants. */
function numbers(count, seed) {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 4 - 1;
  });
}

/** FNV-1a, 32 bits, of the bytes of arrays. */
function digest(arrays) {
  let hash = 0x811c9dc5;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength))
      hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}

/** @returns {{ row: number[], digest: string }} of a row that can be checked by hand, and of every path through the core */
export function compute({ layerNorm, layerNormForward, tensor }) {
  const results = [];
  for (const ArrayType of [Float32Array, Float64Array]) {
    const x = ArrayType.from(numbers(37 * 129 * 5, 1));
    const parameters = (length) => ({
      gamma: ArrayType.from(numbers(length, 2)),
      beta: ArrayType.from(numbers(length, 3)),
    });
    results.push(layerNorm(x, { shape: [37 * 129, 5] }));
    results.push(layerNorm(x, { shape: [37, 129 * 5], ...parameters(129 * 5) }));
    results.push(layerNorm(x, { shape: [37, 129, 5], axis: 1, epsilon: 1e-5, ...parameters(129) }));
    results.push(
      layerNorm(x, { shape: [37, 129, 5], axis: [0, 2], gamma: parameters(37 * 5).gamma, rmsScaling: true }),
    );
    const { y, mean, rstd } = layerNormForward({ data: x, shape: [37, 129, 5] }, { axis: [1, 2] });
    results.push(y.data, mean.data, rstd.data);
    const inHeap = tensor(x, [5, 37 * 129]);
    layerNorm(inHeap, { out: inHeap });
    results.push(inHeap.array.slice());
    inHeap.dispose();
  }
  // A Float16Array where the engine has one, else its bits: the same bytes.
  for (const dtype of ['float16', 'bfloat16']) {
    const x = tensor(numbers(37 * 129, 4), [37, 129], dtype);
    results.push(layerNorm(x.array.slice(), { shape: [37, 129], dtype }));
    const { y, mean, rstd } = layerNormForward(x, { axis: 0 });
    results.push(y.array.slice(), mean.array.slice(), rstd.array.slice());
    for (const one of [x, y, mean, rstd]) one.dispose();
  }
  return { row: Array.from(layerNorm(Float32Array.of(1, 2, 3))), digest: digest(results) };
}

/** The same where it may fail. */
export function tryToCompute(layernorm) {
  try {
    return compute(layernorm);
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
}
