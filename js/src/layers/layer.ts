import type { MaskLike } from '../ops/mask.js';
import { checkOptions, isOptions } from '../ops/options.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { Disposing } from '../tensor/disposable.js';
import { formatShape, type PartialShape, type Shape } from '../tensor/shape.js';
import type { ResultOf, TensorLike } from '../tensor/tensor_like.js';
import {
  type ComputeDType,
  type DTypePolicy,
  type PolicyName,
  readPolicy,
  serializedPolicy,
  type VariableDType,
} from './dtype_policy.js';
import {
  automaticName,
  checkPartialShape,
  optionsOf,
  plain,
  readBoolean,
  readName,
} from './layer_options.js';
import {
  getRegularizer,
  type Regularizer,
  type RegularizerIdentifier,
  serializeRegularizer,
} from './regularizers.js';
import type { Config, CustomObjects } from './serialization.js';
import { warnOnce } from './warnings.js';
import { Weight, type WeightOptions, type WeightValue } from './weight.js';

/**
 * Options that every layer has: Keras' arguments in camelCase. `undefined` stands for the default; `null` is Python's None, and
 * where Keras gives that no meaning of its own, the default as well.
 */
export interface LayerOptions<P extends PolicyName = PolicyName> {
  /** @defaultValue Keras' automatic one, such as layer_normalization, layer_normalization_1, ... */
  name?: string | null;
  /**
   * The types of the results and of the weights: 'float32', 'float64', 'float16', 'bfloat16', 'mixed_float16' or 'mixed_bfloat16'
   * (results of 16 bits, weights of float32), a {@link DTypePolicy}, or what a config has for one.
   * @defaultValue 'float32'
   */
  dtype?: P | DTypePolicy<P> | null;
  /** Whether the weights are to be learned. Batch normalization then also uses the statistics of the batch. @defaultValue true */
  trainable?: boolean | null;
  /** What adds a penalty on the output to {@link Layer.losses}, divided by the size of the batch. @defaultValue none */
  activityRegularizer?: RegularizerIdentifier | null;
  /**
   * Whether inputs are rounded to the type of the results before anything is computed. Layers that never do, as in Keras, ignore it.
   * @defaultValue true, but for layer and group normalization
   */
  autocast?: boolean | null;
  /** Taken with a warning, as in Keras, and not used. */
  inputShape?: PartialShape | null;
  /** Taken with a warning, as in Keras, and not used. */
  inputDim?: number | null;
}

/** Every option once, for the check of their names. */
const OPTION_NAMES: Record<keyof LayerOptions, true> = {
  name: true,
  dtype: true,
  trainable: true,
  activityRegularizer: true,
  autocast: true,
  inputShape: true,
  inputDim: true,
};

/** Options of {@link Layer.apply}. */
export interface ApplyOptions {
  /** Sizes of the dimensions of `x`, outermost first, for a typed array: it has one dimension by default. */
  shape?: readonly number[] | null;
  /**
   * true: as in a training step. What {@link Layer.backward} needs is kept. false: inference, and nothing is kept. Not given:
   * inference, but a reference to x is kept, so that `backward` can follow.
   * @defaultValue not given
   */
  training?: boolean | null;
  /** Which positions of x count, for layers that look at that. @defaultValue all */
  mask?: MaskLike | null;
}

const APPLY_OPTIONS: Record<keyof ApplyOptions, true> = { shape: true, training: true, mask: true };

/**
 * What all layers have in common: Keras' `Layer`, as far as it concerns one that is called by hand.
 *
 * A layer is built by its first {@link Layer.apply}, or by {@link Layer.build}: only then the sizes of its weights are known.
 * For {@link Layer.backward} the last call keeps a reference to x, which must not be written to in between, and mean and rstd;
 * these go when the next call replaces them, and with {@link Layer.dispose}.
 */
export abstract class Layer<P extends PolicyName = PolicyName> extends Disposing {
  /** The name of the class in Keras, which no minifier changes. */
  readonly className: string;
  readonly name: string;
  readonly dtypePolicy: DTypePolicy<P>;
  readonly activityRegularizer: Regularizer | null;
  /** Whether a mask of the input is one of the output as well, see {@link Layer.computeMask}. */
  supportsMasking = false;
  /** Whether inputs are rounded to the type of the results before anything is computed. */
  autocast: boolean;
  #trainable: boolean;
  #built = false;
  #buildShape: PartialShape | undefined;
  #own: Weight[] = [];
  /** Those of them that were made to be learned. */
  readonly #learned = new WeakSet<Weight>();
  /** The penalty on the last output, where there is an activity regularizer. */
  protected activityLoss: number | undefined;

  /**
   * @param known - the options that the class has beside those of every layer, one key for each
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`
   */
  protected constructor(className: string, options: LayerOptions<P> | null | undefined, known: object) {
    super();
    this.className = className;
    const given = options ?? ({} as LayerOptions<P>);
    if (!isOptions(given)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${className}: options is ${describe(given)}, expected an object such as { name: 'norm' }`,
      );
    }
    checkOptions(`${className}: Unrecognized keyword arguments passed to ${className}`, given, {
      ...known,
      ...OPTION_NAMES,
    });
    this.dtypePolicy = readPolicy(className, given.dtype) as DTypePolicy<P>;
    this.#trainable = readBoolean(className, 'trainable', given.trainable, true);
    this.autocast = readBoolean(className, 'autocast', given.autocast, true);
    this.activityRegularizer = getRegularizer(given.activityRegularizer ?? null);
    if ((given.inputShape ?? given.inputDim ?? null) !== null) {
      warnOnce(
        `${className}: Do not pass an inputShape or inputDim to a layer: its first input has a shape.`,
      );
    }
    this.name = readName(className, given.name) ?? automaticName(className);
  }

  /**
   * Makes a layer of a config: Keras' JSON with keys in snake_case. Keys that it lacks have their defaults. The short forms of
   * Keras 2 and TensorFlow.js are read as well.
   *
   * @param customObjects - initializers, regularizers and constraints of your own, by the names that the config has for them
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_AXIS`, `ERR_DTYPE`
   */
  static fromConfig<L>(
    this: new (
      options?: never,
    ) => L,
    config: Config,
    customObjects?: CustomObjects | null,
  ): L {
    return new this(optionsOf(config, customObjects) as never);
  }

  /** The type of the weights, as in Keras; {@link Layer.computeDtype} is that of the results. */
  get dtype(): VariableDType<P> {
    return this.dtypePolicy.variableDtype;
  }

  /** The type of the weights. */
  get variableDtype(): VariableDType<P> {
    return this.dtypePolicy.variableDtype;
  }

  /** The type of the results. */
  get computeDtype(): ComputeDType<P> {
    return this.dtypePolicy.computeDtype;
  }

  /** Whether the weights are there. */
  get built(): boolean {
    return this.#built;
  }

  /** Whether the weights are to be learned. Setting it sets it for each weight that was made to be learned. */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(value: boolean) {
    this.#trainable = readBoolean(this.className, 'trainable', value, true);
    for (const weight of this.#own) if (this.#learned.has(weight)) weight.trainable = value;
  }

  /** All weights: those to be learned first, in the order in which they were made. */
  get weights(): Weight[] {
    const isLearned = (weight: Weight): boolean => this.#learned.has(weight);
    return [...this.#own.filter(isLearned), ...this.#own.filter((weight) => !isLearned(weight))];
  }

  /** The weights that a gradient is computed for: none while {@link Layer.trainable} is false. */
  get trainableWeights(): Weight[] {
    return this.trainable ? this.weights.filter((weight) => weight.trainable) : [];
  }

  /** All other weights. */
  get nonTrainableWeights(): Weight[] {
    const trainable = new Set(this.trainableWeights);
    return this.weights.filter((weight) => !trainable.has(weight));
  }

  /** Copies of the values of all weights, in the order of {@link Layer.weights}. */
  getWeights(): WeightValue[] {
    return this.weights.map((weight) => weight.snapshot());
  }

  /**
   * Sets the values of all weights, in the order of {@link Layer.weights}.
   * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_DISPOSED`; nothing has been written then
   */
  setWeights(values: readonly (TensorLike | WeightValue | number)[]): void {
    const operation = `${this.className}.setWeights`;
    const weights = this.weights;
    if (!Array.isArray(values) || values.length !== weights.length) {
      throw new LayerNormError(
        Array.isArray(values) ? 'ERR_SHAPE' : 'ERR_ARGUMENT',
        `${operation}: You called \`set_weights(weights)\` on layer '${this.name}' with ` +
          (Array.isArray(values) ? `a weight list of length ${values.length}` : describe(values)) +
          `, but the layer was expecting ${weights.length} weights` +
          (this.built ? '' : ': it is not built'),
      );
    }
    const drafts = weights.map((weight, i) => weight.draft(operation, values[i], this.otherShapesOf(weight)));
    weights.forEach((weight, i) => {
      weight.take(drafts[i] as Weight);
    });
  }

  /** Shapes that older versions of Keras gave a weight, its elements in the same order. */
  protected otherShapesOf(_weight: Weight): Shape[] {
    return [];
  }

  /** The penalties: of the last output, where there is an activity regularizer, then one for each regularized trainable weight. */
  get losses(): number[] {
    const penalties = this.trainableWeights.flatMap((weight) =>
      weight.regularizer ? [weight.regularizer.call(weight.numbers(), weight.shape)] : [],
    );
    return this.activityLoss === undefined ? penalties : [this.activityLoss, ...penalties];
  }

  /**
   * Makes the weights for inputs of a shape. The first {@link Layer.apply} does so, if nobody has before.
   * @param inputShape - sizes of the dimensions, outermost first; null for those that vary
   * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, and what initializers throw
   */
  build(inputShape: PartialShape): void {
    const operation = `${this.className}.build`;
    checkPartialShape(operation, inputShape);
    if (this.#built) {
      const same = !this.#buildShape || formatShape(this.#buildShape) === formatShape(inputShape);
      if (same) return;
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: layer '${this.name}' is built for inputs ${formatShape(this.#buildShape ?? [])} already, expected no ` +
          `second build for ${formatShape(inputShape)}`,
      );
    }
    try {
      this.makeWeights(operation, inputShape);
    } catch (error) {
      this.#own = [];
      throw error;
    }
    this.#buildShape = Object.freeze([...inputShape]);
    this.#built = true;
  }

  /**
   * The shape of the output.
   * @param inputShape - sizes of the dimensions, outermost first; null for those that vary
   * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`
   */
  computeOutputShape(inputShape: PartialShape): (number | null)[] {
    checkPartialShape(`${this.className}.computeOutputShape`, inputShape);
    return [...inputShape];
  }

  /**
   * The mask that goes with the output: that of the input, where {@link Layer.supportsMasking} is true, else none.
   * @param _x - the input
   * @param mask - the mask that goes with it
   */
  computeMask<M>(_x: unknown, mask: M): M | null {
    return this.supportsMasking ? mask : null;
  }

  /**
   * Calls the layer on x, and builds it before if need be.
   *
   * @param x - any of the containers that operations take
   * @param options - see {@link ApplyOptions}
   * @returns the output, in a container of the kind that x is, of the type that the layer computes in
   * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_OUT_OF_MEMORY`,
   * `ERR_LOAD`
   */
  abstract apply<X extends TensorLike>(x: X, options?: ApplyOptions | null): ResultOf<X, ComputeDType<P>>;

  /**
   * The gradient of the last {@link Layer.apply}: what the loss depends on its x by. Sets {@link Weight.gradient} of all trainable
   * weights, what the loss owes to regularizers included.
   *
   * @param dy - what the loss depends on the output by, of its shape; other than that, any container that operations take
   * @returns dx, in a container of the kind that dy is, of the type that the layer computes in
   * @throws {@link LayerNormError} `ERR_ARGUMENT` where no call has been kept, and what {@link Layer.apply} throws
   */
  abstract backward<Y extends TensorLike>(dy: Y): ResultOf<Y, ComputeDType<P>>;

  /**
   * Gives every trainable weight a new value, and applies its constraint to that.
   *
   * @example
   * ```ts
   * layer.update((weight, gradient) => weight.numbers().map((value, i) => value - 0.01 * gradient[i]));
   * ```
   *
   * @param rule - gives the new values of a weight, as many and in the same order; or changes `weight.value` itself and returns nothing
   * @throws {@link LayerNormError} `ERR_ARGUMENT` where a weight has no gradient yet, `ERR_SHAPE`, `ERR_DTYPE`, and what `rule` and constraints throw;
   * no weight has been changed then, but by `rule` itself
   */
  update(
    rule: (weight: Weight, gradient: Float32Array | Float64Array) => TensorLike | number | undefined,
  ): void {
    const operation = `${this.className}.update`;
    if (typeof rule !== 'function') {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: rule is ${describe(rule)}, expected a function`,
      );
    }
    const weights = this.trainableWeights;
    const without = weights.find(({ gradient }) => gradient === null);
    if (without) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: the weight ${without.path} has no gradient, expected a backward before`,
      );
    }
    const drafts = weights.map((weight) => {
      const values = rule(weight, weight.gradient as Float32Array);
      return values === undefined || values === null ? weight.copy() : weight.draft(operation, values);
    });
    for (const draft of drafts) constrain(operation, draft);
    weights.forEach((weight, i) => {
      weight.take(drafts[i] as Weight);
    });
  }

  /** The arguments of the constructor as Keras 3.16 writes them: JSON with its keys in its order. */
  getConfig(): Config {
    const { name, trainable, activityRegularizer } = this;
    return {
      name,
      trainable,
      dtype: serializedPolicy(this.dtypePolicy),
      ...(activityRegularizer ? { activity_regularizer: serializeRegularizer(activityRegularizer) } : {}),
    };
  }

  /** What {@link Layer.buildFromConfig} builds the layer by, `{ input_shape }`; null before it is built. */
  getBuildConfig(): Config | null {
    return this.#buildShape === undefined ? null : { input_shape: [...this.#buildShape] };
  }

  /**
   * Builds the layer as {@link Layer.getBuildConfig}, or Keras' `get_build_config`, says.
   * @throws {@link LayerNormError} as {@link Layer.build}
   */
  buildFromConfig(config: Config | null): void {
    const shape = config?.input_shape ?? undefined;
    if (shape !== undefined) this.build(plain(shape) as PartialShape);
  }

  /** Gives back what the last call has kept for {@link Layer.backward}. The layer can be used on. */
  dispose(): void {}

  /** Makes the weights for a shape that has been checked. */
  protected abstract makeWeights(operation: string, inputShape: PartialShape): void;

  /** Checks that an input fits the weights. */
  protected checkInput(_operation: string, _shape: Shape): void {}

  /** Makes a weight of this layer. */
  protected addWeight(options: Omit<WeightOptions, 'path'>): Weight {
    const trainable = options.trainable ?? true;
    const weight = new Weight({
      dtype: this.variableDtype,
      ...options,
      trainable: trainable && this.trainable,
      path: `${this.name}/${options.name}`,
    });
    this.adoptWeight(weight, trainable);
    return weight;
  }

  /** Whether a weight is there and gets a gradient. */
  protected isLearned(weight: Weight | null): boolean {
    return weight !== null && this.trainableWeights.includes(weight);
  }

  /** Counts a weight that is there already among those of this layer. */
  protected adoptWeight(weight: Weight, learned: boolean): void {
    if (learned) this.#learned.add(weight);
    this.#own.push(weight);
  }

  /** Marks the layer as built where no input has to tell it anything. */
  protected buildWithoutShape(): void {
    this.#built = true;
  }
}

function constrain(operation: string, weight: Weight): void {
  if (!weight.constraint) return;
  const values = weight.constraint.call(weight.numbers(), weight.shape);
  weight.take(weight.draft(operation, Float64Array.from(values)));
}

/** Reads the options of {@link Layer.apply}. */
export function readApplyOptions(operation: string, options: ApplyOptions | null | undefined) {
  const given = options ?? {};
  checkOptions(operation, given, APPLY_OPTIONS);
  const training = readTraining(operation, given.training);
  return { shape: given.shape ?? undefined, training, mask: given.mask ?? undefined };
}

function readTraining(operation: string, training: unknown): boolean | undefined {
  if (training === undefined || training === null) return undefined;
  return readBoolean(operation, 'training', training, false);
}
