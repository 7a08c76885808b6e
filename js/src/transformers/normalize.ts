import { type ResultOf, unitNorm } from '../index.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { checkOptions, inWordsOfPyTorch, sizesOf, type TransformersInput } from './tensors.js';

/** Options of {@link normalize}. `null` and `undefined` stand for the default. */
export interface TransformersNormalizeOptions {
  /**
   * The order of the norm: 2, the Euclidean one, is the only one there is here.
   * @defaultValue 2
   */
  p?: 2 | null;
  /**
   * The dimension, or the dimensions, that each norm is taken over. Negative ones count from the end.
   * @defaultValue -1, the last one (PyTorch and transformers.js: 1, which is the same of rank 2)
   */
  dim?: number | readonly number[] | null;
  /**
   * The least norm that is divided by, so that a zero vector stays one: a finite number that is not negative.
   * @defaultValue 1e-12, as in PyTorch (transformers.js: none, a zero vector becomes NaN)
   */
  eps?: number | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof TransformersNormalizeOptions, true> = { p: true, dim: true, eps: true };

/**
 * Divides vectors by their Euclidean norm, with the semantics of PyTorch.
 *
 * y = x / max(sqrt(sum(x^2)), eps).
 *
 * Shapes: input any of rank 1 to 32, y the same. Types: as of `layer_norm`. y is of the class of input.
 *
 * @example
 * ```ts
 * const unit = normalize(embeddings); // was embeddings.normalize(2, -1)
 * ```
 *
 * @param input - what to normalize
 * @param options - see {@link TransformersNormalizeOptions}
 * @returns y, a new tensor
 * @throws {@link LayerNormError} `ERR_AXIS`, `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`, `ERR_LOAD`
 * @see PyTorch `torch.nn.functional.normalize`; transformers.js `Tensor.normalize`
 */
export function normalize<X extends TransformersInput>(
  input: X,
  options: TransformersNormalizeOptions = {},
): ResultOf<X> {
  checkOptions('normalize', options, OPTION_NAMES);
  sizesOf('normalize', input);
  const { p, dim, eps } = options;
  if ((p ?? 2) !== 2) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `normalize: p is ${describe(p)}, expected 2, the Euclidean norm`,
    );
  }
  return inWordsOfPyTorch(() => unitNorm(input, { axis: dim ?? -1, epsilon: eps ?? 1e-12 })) as ResultOf<X>;
}
