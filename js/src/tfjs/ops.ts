// The operations as functions of tensors, for layers that users write themselves.

import { describe, LayerNormError } from '../runtime/errors.js';
import { formatShape, hasAxis, readAxes } from '../tensor/shape.js';
import * as operations from './operations.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/** Options of {@link Ops.rmsNorm}. */
export interface RmsNormOptions {
  /**
   * The axis, or the axes, that are normalized together.
   * @defaultValue -1
   */
  axis?: number | readonly number[] | undefined;
  /** @defaultValue 1e-6 */
  epsilon?: number | undefined;
  /** Scale: one number for each position on the axes, in the shape of these. */
  gamma?: Tensor | undefined;
}

/** Options of {@link Ops.layerNorm}. */
export interface LayerNormOptions extends Omit<RmsNormOptions, 'epsilon'> {
  /** @defaultValue 1e-3 */
  epsilon?: number | undefined;
  /** Offset, in the shape of gamma. Not with `rmsScaling`. */
  beta?: Tensor | undefined;
  /**
   * Keras' `rms_scaling`: x is divided by its deviation, and its mean stays.
   * @defaultValue false
   */
  rmsScaling?: boolean | undefined;
}

/** Options of {@link Ops.unitNorm}. */
export interface UnitNormOptions {
  /** @defaultValue -1 */
  axis?: number | readonly number[] | undefined;
  /** @defaultValue 1e-12 */
  epsilon?: number | undefined;
}

/** Options of {@link Ops.groupNorm}. */
export interface GroupNormOptions {
  /**
   * How many; -1 for as many as there are channels.
   * @defaultValue 32
   */
  groups?: number | undefined;
  /**
   * The axis of the channels, which is not the first: that of the samples.
   * @defaultValue -1
   */
  axis?: number | undefined;
  /** @defaultValue 1e-3 */
  epsilon?: number | undefined;
  /** Scale: one number for each channel. */
  gamma?: Tensor | undefined;
  /** Offset: one number for each channel. */
  beta?: Tensor | undefined;
}

/**
 * The operations for one TensorFlow.js. Each returns a new tensor, in float32 and in the shape of x, and can be differentiated with
 * respect to x, gamma and beta: by `tf.grad`, by optimizers, and in `model.fit` when a layer calls it.
 */
export interface Ops {
  /** (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the mean and the variance over `axis`. */
  layerNorm(x: Tensor, options?: LayerNormOptions): Tensor;
  /** x / sqrt(mean(x^2) + epsilon) * gamma, with the mean over `axis`. */
  rmsNorm(x: Tensor, options?: RmsNormOptions): Tensor;
  /** x / max(|x|, epsilon), with the length over `axis`. */
  unitNorm(x: Tensor, options?: UnitNormOptions): Tensor;
  /** Each group of channels of each sample as {@link Ops.layerNorm} has it, then gamma and beta by channel. */
  groupNorm(x: Tensor, options?: GroupNormOptions): Tensor;
}

type Shape = readonly number[];

/** What options are called, and what is right for them. */
class Given {
  readonly #operation: string;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly shape: Shape;

  constructor(operation: string, x: Tensor, options: object | undefined, known: readonly string[]) {
    if (
      options !== undefined &&
      (typeof options !== 'object' || options === null || Array.isArray(options))
    ) {
      throw argumentError(operation, 'options', options, 'an object such as { axis: -1 }');
    }
    const unknown = Object.keys(options ?? {}).find((key) => !known.includes(key));
    if (unknown !== undefined) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: unknown option '${unknown}', expected ${known.join(', ')}`,
      );
    }
    this.#operation = operation;
    this.#options = (options ?? {}) as Record<string, unknown>;
    this.shape = x.shape;
  }

  epsilon(fallback: number): number {
    const epsilon = this.#options.epsilon ?? fallback;
    if (Number.isFinite(epsilon) && (epsilon as number) >= 0) return epsilon as number;
    throw argumentError(this.#operation, 'epsilon', epsilon, 'a finite number that is not negative');
  }

  axes(): number[] {
    const mask = readAxes(this.#operation, this.#options.axis ?? -1, this.shape);
    return this.shape.map((_, d) => d).filter((d) => hasAxis(mask, d));
  }

  channels(): number {
    const { axis = -1 } = this.#options;
    const [first] = this.axes();
    if (typeof axis === 'number' && first !== 0) return first as number;
    throw new LayerNormError(
      'ERR_AXIS',
      `${this.#operation}: axis is ${describe(axis)} for x ${formatShape(this.shape)}, expected that of the channels, ` +
        'which is one and not the first',
    );
  }

  groups(axis: number): number {
    const given = this.#options.groups ?? 32;
    const channels = this.shape[axis] as number;
    const groups = given === -1 ? channels : (given as number);
    if (Number.isInteger(groups) && groups >= 1 && channels % groups === 0) return groups;
    throw argumentError(this.#operation, 'groups', given, `-1 or a divisor of the ${channels} channels`);
  }

  flag(name: string): boolean {
    const flag = this.#options[name] ?? false;
    if (typeof flag === 'boolean') return flag;
    throw argumentError(this.#operation, name, flag, 'true or false');
  }

  /** A parameter over these axes, where there is one. */
  parameter(tf: TensorFlow, name: 'gamma' | 'beta', axes: readonly number[]): { [name]?: Tensor } {
    const parameter = this.#options[name];
    if (parameter === undefined || parameter === null) return {};
    if (!(parameter instanceof tf.Tensor)) {
      throw argumentError(this.#operation, name, parameter, 'a tensor of the same TensorFlow.js');
    }
    const expected = axes.map((axis) => this.shape[axis] as number);
    if (formatShape(parameter.shape) === formatShape(expected)) return { [name]: float32(tf, parameter) };
    throw new LayerNormError(
      'ERR_SHAPE',
      `${this.#operation}: ${name} has shape ${formatShape(parameter.shape)}, expected ${formatShape(expected)}`,
    );
  }
}

function argumentError(operation: string, name: string, value: unknown, expected: string): LayerNormError {
  return new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} is ${describe(value)}, expected ${expected}`,
  );
}

const float32 = (tf: TensorFlow, x: Tensor): Tensor => (x.dtype === 'float32' ? x : tf.cast(x, 'float32'));

/** Makes the operations for one TensorFlow.js. */
export function makeOps(tf: TensorFlow): Ops {
  /** Everything is looked at before anything is computed, and what is made on the way is disposed of. */
  const operation =
    (
      name: keyof Ops,
      known: readonly string[],
      compute: (x: Tensor, given: Given) => Tensor,
    ): ((x: Tensor, options?: object) => Tensor) =>
    (x, options) => {
      if (!(x instanceof tf.Tensor)) throw argumentError(name, 'x', x, 'a tensor of the same TensorFlow.js');
      if (x.dtype === 'string' || x.dtype === 'complex64') {
        throw new LayerNormError('ERR_DTYPE', `${name}: x is of ${x.dtype}, expected real numbers`);
      }
      const given = new Given(name, x, options, known);
      return tf.tidy(() => compute(float32(tf, x), given));
    };

  return {
    layerNorm: operation(
      'layerNorm',
      ['axis', 'epsilon', 'gamma', 'beta', 'rmsScaling'],
      (x, given): Tensor => {
        const axis = given.axes();
        const parameters = {
          ...given.parameter(tf, 'gamma', axis),
          ...given.parameter(tf, 'beta', axis),
        };
        const settings = { axis, epsilon: given.epsilon(1e-3), rmsScaling: given.flag('rmsScaling') };
        if (settings.rmsScaling && parameters.beta) {
          throw new LayerNormError(
            'ERR_ARGUMENT',
            'layerNorm: rmsScaling takes no beta, expected gamma alone',
          );
        }
        return operations.layerNorm(tf, x, { ...settings, ...parameters });
      },
    ),
    rmsNorm: operation('rmsNorm', ['axis', 'epsilon', 'gamma'], (x, given): Tensor => {
      const axis = given.axes();
      const settings = { axis, epsilon: given.epsilon(1e-6) };
      return operations.rmsNorm(tf, x, { ...settings, ...given.parameter(tf, 'gamma', axis) });
    }),
    unitNorm: operation(
      'unitNorm',
      ['axis', 'epsilon'],
      (x, given): Tensor => operations.unitNorm(tf, x, { axis: given.axes(), epsilon: given.epsilon(1e-12) }),
    ),
    groupNorm: operation('groupNorm', ['groups', 'axis', 'epsilon', 'gamma', 'beta'], (x, given): Tensor => {
      const axis = given.channels();
      const parameters = {
        ...given.parameter(tf, 'gamma', [axis]),
        ...given.parameter(tf, 'beta', [axis]),
      };
      const settings = { axis, epsilon: given.epsilon(1e-3), groups: given.groups(axis) };
      return operations.groupNorm(tf, x, { ...settings, ...parameters });
    }),
  };
}
