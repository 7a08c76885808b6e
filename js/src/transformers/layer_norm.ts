import { layerNorm, type ResultOf, type TensorLike } from '../index.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { elementCount, formatShape, sameShape } from '../tensor/shape.js';
import { readFloats, standardize } from './compat.js';
import { checkOptions, inWordsOfPyTorch, sizesOf, type TransformersInput } from './tensors.js';

/** Options of {@link layer_norm}. `null` and `undefined` stand for the default. */
export interface TransformersLayerNormOptions {
  /**
   * What is added to the variance, inside the square root: a finite number that is not negative.
   * @defaultValue 1e-5, as in PyTorch and transformers.js
   */
  eps?: number | null;
  /**
   * The scale: of the shape `normalized_shape`.
   * @defaultValue none, as if all were 1
   */
  weight?: TensorLike | null;
  /**
   * The offset: of the shape `normalized_shape`.
   * @defaultValue none, as if all were 0
   */
  bias?: TensorLike | null;
  /**
   * 'transformers.js' for the very bits that `layer_norm` of transformers.js 4.3.1 gives, to be added to an index that was made with it:
   * epsilon outside of the root, every sum in the type of the elements. As slow as it is there. Only for tensors with `dims`, of float32,
   * float64, or float16 in a `Float16Array` (of the bits in a `Uint16Array` it computes as if they were numbers), and without `weight`
   * and `bias`.
   * @defaultValue none: PyTorch's definition
   */
  compat?: 'transformers.js' | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof TransformersLayerNormOptions, true> = {
  eps: true,
  weight: true,
  bias: true,
  compat: true,
};

/**
 * Layer normalization over the last dimensions, in the spelling of transformers.js and with the semantics of PyTorch.
 *
 * y = (x - mean) / sqrt(variance + eps) * weight + bias, with the biased variance.
 *
 * Shapes: input any of rank 1 to 32 whose last sizes are `normalized_shape`, y the same. Types: float32, float64, float16 (a
 * `Float16Array`, or bits in a `Uint16Array` where `type` says so); integers are converted to float32. y is of the class of input.
 *
 * @example
 * ```ts
 * const embeddings = await extractor(texts, { pooling: 'mean' });
 * const short = layer_norm(embeddings, [embeddings.dims[1]]).slice(null, [0, 256]);
 * ```
 *
 * @param input - what to normalize
 * @param normalized_shape - sizes of the last dimensions, over which mean and variance are taken
 * @param options - see {@link TransformersLayerNormOptions}
 * @returns y, a new tensor
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`, `ERR_LOAD`
 * @see PyTorch `torch.nn.functional.layer_norm`; transformers.js `layer_norm`, which takes input of rank 2 and neither weight nor bias
 */
export function layer_norm<X extends TransformersInput>(
  input: X,
  normalized_shape: readonly number[],
  options: TransformersLayerNormOptions = {},
): ResultOf<X> {
  checkOptions('layer_norm', options, OPTION_NAMES);
  const sizes = sizesOf('layer_norm', input);
  checkNormalizedShape(sizes, normalized_shape);
  const { weight, bias } = options;
  const isCompatible = readCompat(input, options);
  const epsilon = options.eps ?? 1e-5;
  const rank = normalized_shape.length;
  const axis = rank === 1 ? -1 : normalized_shape.map((_, i) => i - rank);
  const y = inWordsOfPyTorch(() => layerNorm(input, { axis, epsilon, gamma: weight, beta: bias }));
  if (isCompatible) {
    // The arguments have been found right, and y is a container of the right kind: only its numbers are others.
    const { data } = y as { data: Parameters<typeof standardize>[1] };
    standardize(readFloats(input), data, elementCount(normalized_shape), epsilon);
  }
  return y as ResultOf<X>;
}

function readCompat(input: object, { weight, bias, compat }: TransformersLayerNormOptions): boolean {
  if (compat === undefined || compat === null) return false;
  if (compat !== 'transformers.js') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `layer_norm: compat is ${describe(compat)}, expected 'transformers.js', or none`,
    );
  }
  if ((weight ?? bias ?? null) !== null) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `layer_norm: compat is 'transformers.js' with ${weight ? 'weight' : 'bias'}, expected one of them: there is none there`,
    );
  }
  if ('dims' in input) return true;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `layer_norm: compat is 'transformers.js' and input ${describe(input)}, expected a tensor with dims, as it has there`,
  );
}

function checkNormalizedShape(sizes: readonly number[], normalizedShape: unknown): void {
  const isList = Array.isArray(normalizedShape) && normalizedShape.length > 0;
  if (isList && sameShape(sizes.slice(-normalizedShape.length), normalizedShape)) return;
  throw new LayerNormError(
    'ERR_SHAPE',
    `layer_norm: normalized_shape is ${describe(normalizedShape)}, expected the last sizes of input ${formatShape(sizes)}, such as ` +
      formatShape(sizes.slice(-1)),
  );
}
