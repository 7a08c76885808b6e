// Makes digits.csv from the table of handwritten digits in Debian 12's package python3-sklearn 1.2.1+dfsg-1:
// node make.mjs [digits.csv.gz] > digits.csv

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const INSTALLED = '/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz';
/** Of the table when it is unpacked. */
const SHA256 = '6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8';
const PIXELS = 64;
const COMPONENTS = 10;

const bytes = gunzipSync(readFileSync(process.argv[2] ?? INSTALLED));
if (createHash('sha256').update(bytes).digest('hex') !== SHA256) {
  throw new Error('this is another table than that of scikit-learn 1.2.1');
}
const rows = bytes
  .toString()
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));

// In an order that looks random and is the same each time.
let state = 1;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
for (let i = rows.length - 1; i > 0; i--) {
  const j = random(i + 1);
  [rows[i], rows[j]] = [rows[j], rows[i]];
}

/** The rows that programs train with: the components are theirs alone. */
const training = rows.slice(0, Math.round(0.8 * rows.length));
const pixels = Array.from({ length: PIXELS }, (_, i) => i);
const average = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

const mean = pixels.map((i) => average(training.map((row) => row[i])));
const centred = (row) => pixels.map((i) => row[i] - mean[i]);
const deviations = training.map(centred);
const covariance = pixels.map((i) => pixels.map((j) => average(deviations.map((row) => row[i] * row[j]))));

/**
 * The eigenvectors of a symmetric matrix, those of the largest eigenvalues first, by Jacobi's method: rotations of two dimensions each
 * make one element off the diagonal zero, until all are (Golub and Van Loan, Matrix Computations, 8.5).
 */
function eigenvectors(matrix) {
  const a = matrix.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((_, j) => Number(i === j))); // as columns
  const rotate = (x, y, i, j, c, s) => [c * x[i] - s * y[j], s * x[i] + c * y[j]];
  for (let sweep = 0; sweep < 20; sweep++) {
    for (let p = 0; p < a.length; p++) {
      for (let q = p + 1; q < a.length; q++) {
        if (a[p][q] === 0) continue;
        const cotangent = (a[q][q] - a[p][p]) / (2 * a[p][q]); // of twice the angle
        const t = (cotangent < 0 ? -1 : 1) / (Math.abs(cotangent) + Math.sqrt(cotangent ** 2 + 1));
        const c = 1 / Math.sqrt(t ** 2 + 1);
        const s = t * c;
        for (const row of [...a, ...vectors]) [row[p], row[q]] = rotate(row, row, p, q, c, s);
        for (let k = 0; k < a.length; k++) [a[p][k], a[q][k]] = rotate(a[p], a[q], k, k, c, s);
      }
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i]);
  return order.map((i) => vectors.map((row) => row[i]));
}

/** Either sign is right; here the largest element is positive. */
function oriented(vector) {
  const largest = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return vector.map((value) => value * Math.sign(largest));
}

const components = eigenvectors(covariance).slice(0, COMPONENTS).map(oriented);
console.log([...components.map((_, i) => `c${i + 1}`), 'digit'].join());
for (const row of rows) {
  const deviation = centred(row);
  console.log([...components.map((axis) => Math.round(10 * dot(axis, deviation)) / 10), row[PIXELS]].join());
}
