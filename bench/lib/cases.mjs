// What is measured: one row a case. A new operation, dtype or thread count is a new row here; lib/operations.mjs says what
// an operation is.

/**
 * @typedef {object} Case
 * @property {string} operation a key of OPERATIONS
 * @property {number[]} shape
 * @property {number | number[]} axis that is reduced; where channels are normalized, that of the channels
 * @property {number} [groups] that channels are divided into
 * @property {number} [dimensions] of each row that are kept
 * @property {'float32' | 'float64' | 'float16' | 'bfloat16'} dtype
 * @property {boolean} affine with gamma and beta
 * @property {boolean} inPlace y is written over x
 * @property {string} data a key of DATA
 * @property {number} threads
 * @property {boolean} headline the ratio to oneDNN on it is what the project aims at
 */

const DEFAULTS = {
  operation: 'layerNorm',
  axis: -1,
  dtype: 'float32',
  affine: true,
  inPlace: false,
  data: 'centred',
  threads: 1,
  headline: false,
};

/** @returns {Case} */
export const caseOf = (parts) => ({ ...DEFAULTS, ...parts });

const HEADLINE = [
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
  [256, 384],
  [256, 512],
  [512, 256],
  [1024, 128],
];

/** In the cache and out of it; many short rows. */
const ROWS = [
  [128, 768],
  [512, 1024],
  [8192, 1024],
  [4096, 64],
];
const GRADIENT_ROWS = ROWS.slice(0, 3);

/** The same images with channels last and with channels first. */
const bothWays = (batch, height, width, channels) => [
  { shape: [batch, height, width, channels], axis: -1 },
  { shape: [batch, channels, height, width], axis: 1 },
];
const PHOTOS = bothWays(32, 28, 28, 128);
/** In the L2 cache, in that of the third level, and out of it. */
const IMAGES = [...bothWays(2, 14, 14, 128), ...PHOTOS, ...bothWays(32, 56, 56, 64)];

/** @type {Case[]} */
export const CASES = [
  ...HEADLINE.map((shape) => ({ shape, headline: true })),

  { shape: [128, 768], inPlace: true },
  { shape: [512, 1024], inPlace: true },
  { shape: [8192, 1024], inPlace: true },
  { shape: [128, 768], affine: false },
  { shape: [512, 1024], affine: false },

  // An axis that is not the last one: first in and then out of the L2 cache, with and without a power of two between rows.
  { shape: [8, 768, 196], axis: 1 },
  { shape: [4, 256, 3136], axis: 1 },
  { shape: [1, 1024, 4096], axis: 1 },
  { shape: [2, 96, 12544], axis: 1 },
  { shape: [16, 64, 1000], axis: 1 },
  { shape: [4, 512, 1024], axis: 1 },
  { shape: [768, 128], axis: 0 },
  { shape: [8, 64, 16, 96], axis: [1, 3] },
  { shape: [16, 32, 24, 24], axis: [1, 2, 3] },

  // Rows that a one-pass variance does not survive.
  { shape: [128, 768], data: 'offset' },
  { shape: [128, 768], data: 'far' },
  { shape: [128, 768], data: 'constant' },
  { shape: [128, 768], data: 'huge' },
  { shape: [512, 1024], data: 'offset' },
  { shape: [4096, 64], data: 'offset' },

  { operation: 'layerNormForward', shape: [128, 768] },
  { operation: 'layerNormForward', shape: [512, 1024] },
  { operation: 'layerNormForward', shape: [4096, 64] },

  // Beside oneDNN and PyTorch on as many threads, and beside the same build on one.
  { shape: [8, 256], threads: 2 },
  { shape: [128, 768], threads: 2 },
  { shape: [512, 1024], threads: 2 },
  { shape: [2048, 768], threads: 2 },
  { shape: [8192, 1024], threads: 2 },

  { operation: 'layerNormBackward', shape: [128, 768] },
  { operation: 'layerNormBackward', shape: [512, 1024] },
  { operation: 'layerNormBackward', shape: [2048, 768] },
  { operation: 'layerNormBackward', shape: [8192, 1024] },
  { operation: 'layerNormBackward', shape: [1000, 1000] },
  { operation: 'layerNormBackward', shape: [4096, 64] },
  { operation: 'layerNormBackward', shape: [128, 768], affine: false },

  ...['rmsNorm', 'unitNorm', 'skipLayerNorm', 'skipRmsNorm'].flatMap((operation) =>
    ROWS.map((shape) => ({ operation, shape })),
  ),
  { operation: 'rmsNorm', shape: [8, 768, 196], axis: 1 },
  { operation: 'rmsNorm', shape: [128, 768], dtype: 'float64' },
  { operation: 'rmsNorm', shape: [512, 1024], dtype: 'float16' },
  { operation: 'rmsNorm', shape: [2048, 768], threads: 2 },
  { operation: 'skipLayerNorm', shape: [512, 1024], dtype: 'float16' },
  { operation: 'skipLayerNorm', shape: [2048, 768], threads: 2 },
  ...[
    { shape: [1, 768], dimensions: 256 },
    { shape: [128, 768], dimensions: 256 },
    { shape: [2048, 768], dimensions: 64 },
    { shape: [2048, 768], dimensions: 256 },
    { shape: [2048, 768], dimensions: 768 },
    { shape: [8192, 1024], dimensions: 256 },
    { shape: [2048, 768], dimensions: 256, dtype: 'float64' },
    { shape: [2048, 768], dimensions: 256, dtype: 'float16' },
    { shape: [2048, 768], dimensions: 256, threads: 2 },
  ].map((parts) => ({ operation: 'matryoshka', ...parts })),
  ...['512x512', '1024x1024', '2304x256'].map((sizes) => ({
    operation: 'spectralNorm',
    shape: sizes.split('x').map(Number),
    affine: false,
  })),
  ...['rmsNormBackward', 'unitNormBackward'].flatMap((operation) =>
    GRADIENT_ROWS.map((shape) => ({ operation, shape })),
  ),

  ...['batchNorm', 'batchNormInference', 'batchNormBackward'].flatMap((operation) => [
    { operation, shape: [4096, 256] },
    ...IMAGES.map((image) => ({ operation, ...image })),
  ]),
  ...['groupNorm', 'groupNormBackward'].flatMap((operation) => [
    { operation, shape: [512, 1024], groups: 32 },
    ...IMAGES.map((image) => ({ operation, groups: 32, ...image })),
  ]),
  ...['instanceNorm', 'instanceNormBackward'].flatMap((operation) =>
    IMAGES.map((image) => ({ operation, ...image })),
  ),
  ...[{ operation: 'batchNorm' }, { operation: 'groupNorm', groups: 32 }].flatMap((parts) =>
    [{ threads: 2 }, { dtype: 'float64' }, { dtype: 'float16' }].flatMap((more) =>
      PHOTOS.map((image) => ({ ...parts, ...more, ...image })),
    ),
  ),

  ...ROWS.map((shape) => ({ operation: 'moments', shape })),
  { operation: 'moments', shape: [4096, 256], axis: 0 },
  { operation: 'moments', shape: [32, 28, 28, 128], axis: [0, 1, 2] },
  { operation: 'moments', shape: [32, 128, 28, 28], axis: [0, 2, 3] },
  { operation: 'moments', shape: [512, 1024], axis: [0, 1] },

  { shape: [128, 768], dtype: 'float64' },
  { shape: [512, 1024], dtype: 'float64' },
  { shape: [4096, 64], dtype: 'float64' },
  { shape: [8, 768, 196], axis: 1, dtype: 'float64' },

  // Beside float32 on as many elements.
  ...['float16', 'bfloat16'].flatMap((dtype) => [
    ...[
      [128, 768],
      [512, 1024],
      [2048, 768],
      [4096, 64],
    ].map((shape) => ({ shape, dtype })),
    { shape: [8, 768, 196], axis: 1, dtype },
    { operation: 'layerNormBackward', shape: [128, 768], dtype },
    { operation: 'layerNormBackward', shape: [512, 1024], dtype },
  ]),
].map(caseOf);

/** How rows look: what an element is, from two random numbers in [0, 1). */
export const DATA = {
  centred: { label: '', element: (u) => 4 * u - 1 },
  offset: { label: 'N(10,1)', element: (u, v) => 10 + normal(u, v) },
  far: { label: 'N(1e4,1)', element: (u, v) => 1e4 + normal(u, v) },
  constant: { label: 'constant', element: () => 0.1 },
  huge: { label: 'N(0,1)*1e30', element: (u, v) => 1e30 * normal(u, v) },
};

/** Box and Muller's normal distribution. */
const normal = (u, v) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);

/** "512x1024 axis 1 in place", without what is the same for most rows. */
export function labelOf({ shape, axis, groups, dimensions, affine, inPlace, data, threads }) {
  const parts = [shape.join('x')];
  if (dimensions) parts.push(`to ${dimensions}`);
  if (groups) parts.push(`${groups} groups`);
  if (axis !== -1) parts.push(`axis ${[axis].flat().join(',')}`);
  if (inPlace) parts.push('in place');
  if (!affine) parts.push('no gamma, beta');
  if (DATA[data].label) parts.push(DATA[data].label);
  if (threads !== 1) parts.push(`${threads} threads`);
  return parts.join(' ');
}

/** Whether a case differs from the plainest one, rows of float32, by nothing but its shape. */
export const isPlain = (one) => one.shape.length === 2 && idOf(one) === idOf(caseOf({ shape: one.shape }));

/** Unlike any other's. */
export const idOf = (one) => `${one.operation} ${one.dtype} ${labelOf(one)}`;

/**
 * The cases that a run is to measure.
 * @param {{ shapes?: string[], pattern?: string, quick?: boolean }} wish `shapes` like "128x768", also such that are not in
 *   the table; `pattern` is a regular expression for the id
 */
export function selectCases({ shapes, pattern, quick }) {
  let selected = CASES;
  if (shapes) {
    selected = shapes.flatMap((shape) => {
      const sizes = parseShape(shape);
      const known = CASES.filter((one) => one.shape.join() === sizes.join());
      return known.length > 0 ? known : [caseOf({ shape: sizes })];
    });
  }
  if (pattern) selected = selected.filter((one) => new RegExp(pattern).test(idOf(one)));
  const headlines = selected.filter(({ headline }) => headline);
  return quick && !pattern && headlines.length > 0 ? headlines : selected;
}

function parseShape(text) {
  const sizes = text.split('x').map(Number);
  if (sizes.every((size) => Number.isInteger(size) && size > 0)) return sizes;
  throw new RangeError(`--shapes: '${text}' is no shape, expected sizes like 128x768`);
}
