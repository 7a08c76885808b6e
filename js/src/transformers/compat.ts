import { describe, LayerNormError } from '../runtime/errors.js';
import { typedArrayName } from '../tensor/dtype.js';

/** Numbers that arithmetic is rounded to. */
type Floats = Float32Array | Float64Array;

/**
 * The elements of a tensor that {@link standardize} does what transformers.js does with.
 * @throws {@link LayerNormError} `ERR_DTYPE` for all but floats
 */
export function readFloats(input: object): Floats {
  const { data } = input as { data?: unknown };
  const className = typedArrayName(data);
  if (className !== undefined && /^Float(16|32|64)Array$/.test(className)) return data as Floats;
  throw new LayerNormError(
    'ERR_DTYPE',
    `layer_norm: compat is 'transformers.js' and the data of input ${describe(data)}, expected a Float32Array, Float64Array or ` +
      'Float16Array: of bits and integers transformers.js gives no useful numbers',
  );
}

/**
 * `layer_norm` of transformers.js 4.3.1, operation by operation: (x - mean) / (std + eps), where each addition to a sum, the mean and
 * std are rounded to the type of x.
 */
export function standardize(x: Floats, y: Floats, columns: number, eps: number): void {
  const Class = x.constructor as new (length: number) => Floats;
  const [MEAN, STD] = [0, 1];
  const statistics = new Class(2);
  const at = (array: Floats, i: number): number => array[i] as number;
  for (let start = 0; start < x.length; start += columns) {
    const end = start + columns;
    statistics.fill(0);
    for (let i = start; i < end; i++) statistics[MEAN] = at(statistics, MEAN) + at(x, i);
    statistics[MEAN] = at(statistics, MEAN) / columns;
    for (let i = start; i < end; i++)
      statistics[STD] = at(statistics, STD) + (at(x, i) - at(statistics, MEAN)) ** 2;
    statistics[STD] = Math.sqrt(at(statistics, STD) / columns);
    for (let i = start; i < end; i++) y[i] = (at(x, i) - at(statistics, MEAN)) / (at(statistics, STD) + eps);
  }
}
