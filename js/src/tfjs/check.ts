import { describe, LayerNormError } from '../runtime/errors.js';

/**
 * Checks that something is a TensorFlow.js.
 * @param names - what it has to have
 * @throws {@link LayerNormError} `ERR_ARGUMENT`, with what it lacks
 */
export function checkTensorFlow(operation: string, tf: unknown, names: readonly string[]): void {
  const isObject = typeof tf === 'object' && tf !== null;
  const lacks = names.filter((name) => !(isObject && (tf as Record<string, unknown>)[name]));
  if (lacks.length === 0) return;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: tf is ${describe(tf)}${isObject ? ` without ${lacks.join(', ')}` : ''}, expected TensorFlow.js: ` +
      "import * as tf from '@tensorflow/tfjs'",
  );
}
