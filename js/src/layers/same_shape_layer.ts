import type { MaskLike } from '../ops/mask.js';
import { LayerNormError } from '../runtime/errors.js';
import { type DType, isSixteenBit, typedArrayName } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { checkSameShape } from '../tensor/target.js';
import type { Operand, ResultOf, TensorLike } from '../tensor/tensor_like.js';
import type { ComputeDType, PolicyName } from './dtype_policy.js';
import {
  cast,
  containerLike,
  type Elements,
  elementsFor,
  isTensor,
  type Numbers,
  numbersOf,
  readInput,
  release,
  takeNumbers,
} from './elements.js';
import { type ApplyOptions, Layer, readApplyOptions } from './layer.js';
import type { Regularizer } from './regularizers.js';
import { warnOnce } from './warnings.js';
import type { Weight } from './weight.js';

/** One call of a layer: what it works on, and what its gradient needs later. */
export interface Call {
  readonly operation: string;
  readonly x: Elements;
  readonly shape: Shape;
  /** The option `shape` of operations: tensors know theirs. */
  readonly shapeOption: Shape | undefined;
  /** What is computed in. */
  readonly dtype: DType;
  /** The option `dtype` of operations, which take the shortest way without it: x may be of that type. */
  readonly dtypeOption: DType | undefined;
  readonly training: boolean;
  /** Whether a gradient may be asked for. */
  readonly isKept: boolean;
  readonly mask: MaskLike | undefined;
  /** What the gradient needs, by the layer's own names. The tensors among it are disposed of with the call. */
  readonly saved: Record<string, Elements>;
}

/** What {@link Layer.backward} goes by. */
interface Kept extends Call {
  /** The output, where an activity regularizer looks at it. */
  readonly y: Numbers | undefined;
}

/**
 * A layer whose output has the shape of its input. It brings arrays of all kinds into one of two forms, keeps what the gradient
 * needs, and brings what a subclass computes back into the form of what came in.
 */
export abstract class SameShapeLayer<P extends PolicyName = PolicyName> extends Layer<P> {
  #kept: Kept | undefined;
  #keptNothing = false;

  override apply<X extends TensorLike>(x: X, options?: ApplyOptions | null): ResultOf<X, ComputeDType<P>> {
    const operation = `${this.className}.apply`;
    const { shape, training, mask } = readApplyOptions(operation, options);
    const like = readInput(operation, 'x', x, shape, this.computeDtype);
    if (mask !== undefined && !this.supportsMasking) {
      warnOnce(
        `Layer '${this.name}' (${this.className}) was passed an input with a mask attached to it. However, this layer does not ` +
          'support masking and will therefore destroy the mask information. Downstream layers will not see the mask.',
      );
    }
    if (!this.built) this.build(like.shape);
    this.checkInput(operation, like.shape);
    const dtype = this.autocast ? this.computeDtype : promoted(like.dtype, this.computeDtype);
    const elements = elementsFor(operation, like, dtype);
    const input = this.autocast && isSixteenBit(dtype) ? rounded(elements, like, dtype) : elements;
    const call: Call = {
      operation,
      x: input,
      shape: like.shape,
      shapeOption: isTensor(input) ? undefined : like.shape,
      dtype,
      dtypeOption: isOfType(input, dtype) ? undefined : dtype,
      training: training === true,
      isKept: training !== false,
      mask,
      saved: input === elements ? {} : { input },
    };
    try {
      const y = this.forward(call);
      return this.#finish(call, like, y) as ResultOf<X, ComputeDType<P>>;
    } catch (error) {
      forget(call);
      throw error;
    }
  }

  #finish(call: Call, like: Operand, made: Elements): object {
    const { operation, shape, dtype } = call;
    const { computeDtype } = this;
    const y = cast(made, shape, dtype, computeDtype);
    if (y !== made) release(made);
    let regularized: Numbers | undefined;
    if (this.activityRegularizer) {
      regularized = numbersOf(y, computeDtype).slice() as Numbers;
      const batch = shape[0] as number;
      this.activityLoss = this.activityRegularizer.call(regularized, shape) / batch;
    }
    const result = containerLike(operation, like, y, shape, computeDtype);
    this.#forget();
    this.#keptNothing = !call.isKept;
    if (call.isKept) this.#kept = { ...call, y: regularized };
    else forget(call);
    return result;
  }

  override backward<Y extends TensorLike>(dy: Y): ResultOf<Y, ComputeDType<P>> {
    const operation = `${this.className}.backward`;
    const call = this.#kept;
    if (call === undefined) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: layer '${this.name}' ` +
          (this.#keptNothing
            ? 'was applied with training: false, which keeps nothing, expected an apply with training: true before'
            : 'has not been applied, expected an apply with training: true before'),
      );
    }
    const { shape, dtype } = call;
    const like = readInput(operation, 'dy', dy, undefined, this.computeDtype);
    checkSameShape(operation, 'dy', like, shape);
    const penalties = this.trainableWeights.map((weight) => penaltyGradient(operation, weight));
    const given = this.#withActivity(operation, call, elementsFor(operation, like, dtype));
    for (const weight of this.weights) weight.gradient = null;
    const made = this.gradient(call, given);
    const dx = cast(made, shape, dtype, this.computeDtype);
    if (dx !== made) release(made);
    this.trainableWeights.forEach(({ gradient }, i) => {
      const penalty = penalties[i];
      if (gradient && penalty)
        for (let j = 0; j < gradient.length; j++)
          gradient[j] = (gradient[j] as number) + (penalty[j] as number);
    });
    return containerLike(operation, like, dx, shape, this.computeDtype) as ResultOf<Y, ComputeDType<P>>;
  }

  /** dy, and what the loss depends on the output by through the activity regularizer. */
  #withActivity(operation: string, call: Kept, dy: Elements): Elements {
    const { activityRegularizer } = this;
    if (!activityRegularizer || !call.y) return dy;
    const gradient = gradientOf(operation, activityRegularizer, call.y, call.shape);
    const sum = numbersOf(dy, isTensor(dy) ? dy.dtype : call.dtype).slice() as Numbers;
    const batch = call.shape[0] as number;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (gradient[i] as number) / batch;
    return sum;
  }

  /** Gives back what the last call has kept for {@link Layer.backward}. The layer can be used on. */
  override dispose(): void {
    this.#forget();
    this.#keptNothing = false;
  }

  #forget(): void {
    if (this.#kept) forget(this.#kept);
    this.#kept = undefined;
  }

  /** Computes the output, of type `call.dtype`. */
  protected abstract forward(call: Call): Elements;

  /** Computes dx, of type `call.dtype`, and sets the gradients of trainable weights. */
  protected abstract gradient(call: Call, dy: Elements): Elements;

  /** A weight as operations take it fastest: a bare array. Where inputs are rounded, so is the weight, for the call. */
  protected parameterOf(weight: Weight | null, isRounded = false): Numbers | undefined {
    const values = weight?.numbers();
    const { computeDtype } = this;
    return values && isRounded && isSixteenBit(computeDtype)
      ? numbersOf(cast(values, [values.length], 'float32', computeDtype), computeDtype)
      : values;
  }

  /** Sets the gradient of a weight, where an operation has computed one, which is given back. */
  protected setGradient(weight: Weight | null, gradient: Elements | undefined, call: Call): void {
    if (weight && gradient) weight.gradient = takeNumbers(gradient, call.dtype);
  }
}

/** What is computed in where an input is not to be rounded first: the more exact of two types. */
function promoted(input: DType, compute: DType): DType {
  return input === 'float64' ? 'float64' : compute;
}

/** The input of a layer that rounds it to 16 bits first. */
function rounded(elements: Elements, like: Operand, dtype: DType): Elements {
  if (like.stored === dtype) return elements;
  const from = isTensor(elements) ? elements.dtype : like.dtype;
  return cast(elements, like.shape, from === dtype ? 'float32' : from, dtype);
}

/** Axes as operations take them by the shortest way: -1 where it is the last one alone. */
export function shortestAxis(axis: number | readonly number[], rank: number): number | readonly number[] {
  const only = typeof axis === 'number' ? axis : axis.length === 1 ? (axis[0] as number) : undefined;
  return only === rank - 1 || only === -1 ? -1 : axis;
}

/** Whether operations would take elements to be of a type, and no bits for numbers. */
function isOfType(elements: Elements, dtype: DType): boolean {
  if (isTensor(elements)) return elements.dtype === dtype;
  return typedArrayName(elements) === { float32: 'Float32Array', float64: 'Float64Array' }[dtype as string];
}

function forget(call: Call): void {
  for (const key in call.saved) release(call.saved[key]);
}

function gradientOf(
  operation: string,
  regularizer: Regularizer,
  values: Numbers,
  shape: Shape,
): ArrayLike<number> {
  if (typeof regularizer.gradient === 'function') return regularizer.gradient(values, shape);
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: a regularizer has no gradient, expected an object with call and gradient`,
  );
}

/** What the loss depends on a weight by through its regularizer, if it has one. */
function penaltyGradient(operation: string, weight: Weight): ArrayLike<number> | undefined {
  return weight.regularizer
    ? gradientOf(operation, weight.regularizer, weight.numbers(), weight.shape)
    : undefined;
}
