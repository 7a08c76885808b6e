// npm run bench: what a call costs, beside a plain JavaScript loop that is measured in the same minute.
import { info, layerNorm, tensor } from 'layernorm';
import { measure, median } from './measure.mjs';
import { layerNormPlain } from './plain_js.mjs';

const SHAPES = [
  [1, 64],
  [8, 256],
  [128, 768],
  [512, 1024],
  [2048, 768],
  [64, 4096],
  [4096, 64],
  [1000, 1000],
  [37, 773],
  [8192, 1024],
];
const EPSILON = 1e-5;

console.log(
  `layernorm ${info().version} (${info().variant}, ${info().threads} thread), Node ${process.version}`,
);
console.log(
  'GB/s: 8 bytes an element, x read once and y written once. Ratio: time of the plain loop over time of the call.\n',
);
console.log('shape         plain loop     in the heap          Float32Array, out given');
for (const [rows, cols] of SHAPES) {
  const shape = [rows, cols];
  const data = Float32Array.from({ length: rows * cols }, () => 4 * Math.random() - 1);
  const gamma = Float32Array.from({ length: cols }, () => 0.5 + Math.random());
  const beta = Float32Array.from({ length: cols }, () => Math.random() - 0.5);
  const y = new Float32Array(data.length);
  const heap = { x: tensor(data, shape), out: tensor(data, shape), gamma: tensor(gamma), beta: tensor(beta) };

  const times = measure({
    plain: () => layerNormPlain(data, rows, cols, gamma, beta, EPSILON, y),
    heap: () => layerNorm(heap.x, { epsilon: EPSILON, gamma: heap.gamma, beta: heap.beta, out: heap.out }),
    array: () => layerNorm(data, { shape, epsilon: EPSILON, gamma, beta, out: y }),
  });
  for (const block of Object.values(heap)) block.dispose();

  const speed = (name) => (data.length * 8) / median(times[name]) / 1e6;
  const cell = (name) =>
    `${speed(name).toFixed(1).padStart(5)} GB/s ${(speed(name) / speed('plain')).toFixed(1).padStart(6)} x`;
  console.log(
    `${`${rows}x${cols}`.padEnd(13)} ${speed('plain').toFixed(1)} GB/s    ${cell('heap')}    ${cell('array')}`,
  );
}
