import { isOptions } from '../ops/options.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import type { DType } from '../tensor/dtype.js';
import type { SerializedObject } from './serialization.js';

/** What a layer computes in and what it keeps its weights in, by Keras' name for both. */
export type PolicyName = DType | 'mixed_float16' | 'mixed_bfloat16';

/** The type that a layer of policy `P` gives its results in. */
export type ComputeDType<P extends PolicyName> = P extends 'mixed_float16'
  ? 'float16'
  : P extends 'mixed_bfloat16'
    ? 'bfloat16'
    : P extends DType
      ? P
      : never;

/** The type of the weights of a layer of policy `P`. */
export type VariableDType<P extends PolicyName> = P extends DType ? P : 'float32';

/** For each name the type of the results, and that of the weights. */
const POLICIES: Readonly<Record<PolicyName, readonly [compute: DType, variable: DType]>> = {
  float32: ['float32', 'float32'],
  float64: ['float64', 'float64'],
  float16: ['float16', 'float16'],
  bfloat16: ['bfloat16', 'bfloat16'],
  mixed_float16: ['float16', 'float32'],
  mixed_bfloat16: ['bfloat16', 'float32'],
};

/** Keras' `DTypePolicy`: what a layer computes in, and what it keeps its weights in. */
export class DTypePolicy<P extends PolicyName = PolicyName> {
  /** Keras' name for both types. */
  readonly name: P;
  /** The type of the layer's results. */
  readonly computeDtype: ComputeDType<P>;
  /** The type of the layer's weights. */
  readonly variableDtype: VariableDType<P>;

  /**
   * @param name - 'float32', 'float64', 'float16', 'bfloat16', 'mixed_float16' or 'mixed_bfloat16'
   * @throws {@link LayerNormError} `ERR_DTYPE`
   */
  constructor(name: P) {
    [this.computeDtype, this.variableDtype] = typesOf('DTypePolicy', name, name) as [never, never];
    this.name = name;
  }

  /** The arguments of the constructor, with Keras' names: JSON. */
  getConfig(): { name: P } {
    return { name: this.name };
  }
}

function typesOf(operation: string, name: unknown, given: unknown): readonly [DType, DType] {
  if (typeof name === 'string' && Object.hasOwn(POLICIES, name)) return POLICIES[name as PolicyName];
  const expected = Object.keys(POLICIES).map(describe);
  throw new LayerNormError(
    'ERR_DTYPE',
    `${operation}: dtype is ${describe(given)}, expected ${expected.slice(0, -1).join(', ')} or ${expected.at(-1)}`,
  );
}

/**
 * Reads the option `dtype` of a layer: a name, a policy, or what a config has for one: of Keras 3 `{ class_name: 'DTypePolicy',
 * config: { name } }`, in Keras 2 of the class `Policy`.
 * @throws {@link LayerNormError} `ERR_DTYPE`
 */
export function readPolicy(operation: string, dtype: unknown): DTypePolicy {
  if (dtype === undefined || dtype === null) return new DTypePolicy('float32');
  let name: unknown = dtype;
  if (isOptions(dtype)) {
    const { class_name: className, config } = dtype as { class_name?: unknown; config?: unknown };
    const named = typeof className === 'string' && /Policy$/.test(className) ? config : dtype;
    name = isOptions(named) ? (named as { name?: unknown }).name : undefined;
  }
  typesOf(operation, name, typeof name === 'string' ? name : dtype);
  return new DTypePolicy(name as PolicyName);
}

/** A policy as Keras 3 writes it into a config. */
export function serializedPolicy({ name }: DTypePolicy): SerializedObject {
  return { module: 'keras', class_name: 'DTypePolicy', config: { name }, registered_name: null };
}
