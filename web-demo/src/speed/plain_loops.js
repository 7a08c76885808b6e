// What the package is measured beside: normalizations as one would write them in JavaScript. The page shows this very text.

/** @type {import('./plain_loops.d.ts').RowLoop} */
export function layerNorm(x, rows, columns, gamma, beta, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += x[start + i];
    const mean = sum / columns;
    let squares = 0;
    for (let i = 0; i < columns; i++) squares += (x[start + i] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / columns + epsilon);
    for (let i = 0; i < columns; i++) y[start + i] = (x[start + i] - mean) * rstd * gamma[i] + beta[i];
  }
}

/** @type {import('./plain_loops.d.ts').RowLoop} */
export function rmsNorm(x, rows, columns, gamma, _beta, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let squares = 0;
    for (let i = 0; i < columns; i++) squares += x[start + i] ** 2;
    const rstd = 1 / Math.sqrt(squares / columns + epsilon);
    for (let i = 0; i < columns; i++) y[start + i] = x[start + i] * rstd * gamma[i];
  }
}

/** @type {import('./plain_loops.d.ts').RowLoop} */
export function unitNorm(x, rows, columns, _gamma, _beta, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let squares = 0;
    for (let i = 0; i < columns; i++) squares += x[start + i] ** 2;
    const scale = 1 / Math.max(Math.sqrt(squares), epsilon);
    for (let i = 0; i < columns; i++) y[start + i] = x[start + i] * scale;
  }
}

/** @type {import('./plain_loops.d.ts').RowLoop} */
export function batchNorm(x, rows, columns, gamma, beta, epsilon, y) {
  const mean = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++, at++) mean[i] += x[at];
  }
  for (let i = 0; i < columns; i++) mean[i] /= rows;
  const scale = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++, at++) scale[i] += (x[at] - mean[i]) ** 2;
  }
  for (let i = 0; i < columns; i++) scale[i] = gamma[i] / Math.sqrt(scale[i] / rows + epsilon);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++, at++) y[at] = (x[at] - mean[i]) * scale[i] + beta[i];
  }
}

const real = new Float32Array(1);
const word = new Uint32Array(real.buffer);

/**
 * JavaScript has no arrays of bfloat16: their bits are the upper half of a float32.
 * @type {import('./plain_loops.d.ts').Bfloat16Loop}
 */
export function withBfloat16(loop, scratch, x, rows, columns, gamma, beta, epsilon, y) {
  for (let i = 0; i < x.length; i++) {
    word[0] = x[i] << 16;
    scratch[i] = real[0];
  }
  loop(scratch, rows, columns, gamma, beta, epsilon, scratch);
  for (let i = 0; i < y.length; i++) {
    real[0] = scratch[i];
    y[i] = (word[0] + 0x7fff + ((word[0] >>> 16) & 1)) >>> 16; // to nearest, ties to even
  }
}
