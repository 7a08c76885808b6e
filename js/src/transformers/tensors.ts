// What the functions in the spelling of transformers.js have in common.

import type { DimsTensor, ShapedArray, Tensor } from '../index.js';
import { describe, LayerNormError } from '../runtime/errors.js';

/** What says its shape itself: a tensor of transformers.js or of onnxruntime, an ndarray, a `Tensor` of this package. */
export type TransformersInput = DimsTensor | ShapedArray | Tensor;

/**
 * The sizes of the dimensions of a tensor.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for what does not say them
 */
export function sizesOf(operation: string, input: unknown): readonly number[] {
  const { dims, shape } = (input ?? {}) as { dims?: ArrayLike<number>; shape?: ArrayLike<number> };
  const sizes = dims ?? shape;
  if (typeof sizes === 'object' && sizes !== null) return Array.from(sizes);
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: input is ${describe(input)}, expected a tensor, which has dims or shape`,
  );
}

/**
 * Refuses options that are not known, so that a misspelt one is not ignored.
 * @param known - one key for each option
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function checkOptions(operation: string, options: unknown, known: object): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: options is ${describe(options)}, expected an object such as { eps: 1e-5 }`,
    );
  }
  for (const key in options) {
    if (Object.hasOwn(known, key)) continue;
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: unknown option '${key}', expected ${Object.keys(known).join(', ')}`,
    );
  }
}

/** What the main entry calls an operation and its arguments, and PyTorch and transformers.js the same. */
const WORDS: Readonly<Record<string, string>> = {
  layerNorm: 'layer_norm',
  unitNorm: 'normalize',
  x: 'input',
  gamma: 'weight',
  beta: 'bias',
  epsilon: 'eps',
  axis: 'dim',
  axes: 'dims',
};

/**
 * Calls an operation of the main entry.
 * @throws its errors, worded as those of the function that the user has called
 */
export function inWordsOfPyTorch<Y>(call: () => Y): Y {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof LayerNormError)) throw error;
    const message = error.message.replace(/\b[a-z]+(Norm)?\b/g, (word) =>
      Object.hasOwn(WORDS, word) ? (WORDS[word] as string) : word,
    );
    throw new LayerNormError(error.code, message, error);
  }
}
