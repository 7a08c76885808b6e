import { isOptions } from '../ops/options.js';
import { spectralNorm } from '../ops/spectral_norm.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import { type FloatArray, typedArrayName } from '../tensor/dtype.js';
import { formatShape, type PartialShape, type Shape } from '../tensor/shape.js';
import type { ResultOf, TensorLike } from '../tensor/tensor_like.js';
import type { ComputeDType, PolicyName } from './dtype_policy.js';
import { type Numbers, readInput } from './elements.js';
import { layerOf, type SavableLayer, serializeLayer } from './envelope.js';
import { TruncatedNormal } from './initializers.js';
import { type ApplyOptions, Layer, type LayerOptions, readApplyOptions } from './layer.js';
import { optionsOf } from './layer_options.js';
import type { Config, CustomObjects } from './serialization.js';
import { Weight, type WeightDType } from './weight.js';

/**
 * A variable of a layer of your own: a {@link Weight}, or an object with its elements, row-major, and its shape. These are replaced
 * in place.
 */
export interface KernelVariable {
  /** The elements; or in {@link data}. */
  readonly value?: FloatArray | Int32Array;
  /** The elements; or in {@link value}. */
  readonly data?: FloatArray | Int32Array;
  readonly shape: Shape;
  readonly name?: string;
  /** The type of elements in a `Uint16Array`. @defaultValue that of the array */
  readonly dtype?: string;
  readonly trainable?: boolean;
  /** What `backward` sets. */
  readonly gradient?: Float32Array | Float64Array | null;
}

/** What {@link SpectralNormalization} can wrap: anything with a kernel that can be applied. */
export interface KernelLayer extends SavableLayer {
  /** What is normalized: there once the layer is built. */
  readonly kernel?: KernelVariable | null;
  /** As {@link kernel}, of a layer that calls it so. */
  readonly embeddings?: KernelVariable | null;
  readonly name?: string;
  readonly built?: boolean;
  /** Makes the kernel, if it is not there from the beginning. */
  build?(inputShape: PartialShape): void;
  /** Computes the output. The options are those of {@link Layer.apply}. */
  apply(x: never, options?: ApplyOptions): unknown;
  /** Computes the gradient of the last `apply`, and sets those of its variables. */
  backward?(dy: never): unknown;
  /** All variables, the kernel among them. @defaultValue the kernel alone */
  readonly weights?: readonly KernelVariable[];
  trainable?: boolean;
  /** The shape of the output for one of the input. @defaultValue the layer has none to say */
  computeOutputShape?(inputShape: PartialShape): (number | null)[];
  /** Gives up what the layer holds. */
  dispose?(): void;
}

/** Options of {@link SpectralNormalization}: Keras' arguments in camelCase. */
export interface SpectralNormalizationOptions<P extends PolicyName = PolicyName> extends LayerOptions<P> {
  /** The layer whose kernel is normalized. */
  layer: KernelLayer;
  /** How often the estimate is improved in each training call. @defaultValue 1 */
  powerIterations?: number | null;
}

const OPTION_NAMES: Record<Exclude<keyof SpectralNormalizationOptions, keyof LayerOptions>, true> = {
  layer: true,
  powerIterations: true,
};

/**
 * Keras' `SpectralNormalization`: wraps a layer, and in each training call divides its kernel by an estimate of its largest singular
 * value, before the layer is applied.
 *
 * As in Keras the kernel is overwritten, so the gradient is taken at the kernel as it is then, and none goes through the division
 * (PyTorch keeps the original and differentiates through it: see `spectralNorm` and `spectralNormBackward`). Without
 * `training: true` nothing is changed. Containers and types are those of the wrapped layer.
 *
 * @example
 * ```ts
 * const layer = new SpectralNormalization({ layer: dense, powerIterations: 3 });
 * const y = layer.apply(x, { training: true });
 * ```
 *
 * @see Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks, arXiv:1802.05957; Keras 3.16
 * `keras.layers.SpectralNormalization`
 */
export class SpectralNormalization<P extends PolicyName = 'float32'> extends Layer<P> {
  readonly layer: KernelLayer;
  readonly powerIterations: number;
  /** The estimate of the right singular vector, of shape [1, last size of the kernel]; null before the layer is built. */
  vectorU: Weight | null = null;
  #kernel: Weight | undefined;
  /** The size of the last dimension of the inputs. */
  #features: number | null = null;
  /** Weights that stand for variables of the wrapped layer which are none. */
  readonly #standing = new WeakMap<KernelVariable, Weight>();

  /**
   * @param options - see {@link SpectralNormalizationOptions}
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`
   */
  constructor(options: SpectralNormalizationOptions<P>) {
    super('SpectralNormalization', options, OPTION_NAMES);
    const { className } = this;
    const layer: unknown = options?.layer;
    if (typeof layer !== 'object' || layer === null || typeof (layer as KernelLayer).apply !== 'function') {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${className}: layer is ${describe(layer)}, expected a layer: an object with a kernel and a method apply`,
      );
    }
    const powerIterations = options.powerIterations ?? 1;
    if (!(Number.isInteger(powerIterations) && powerIterations > 0)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${className}: \`power_iterations\` should be greater than zero. powerIterations is ${describe(powerIterations)}, expected a ` +
          'positive integer',
      );
    }
    if (this.activityRegularizer) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${className}: activityRegularizer is given, expected none: give it to the wrapped layer, whose output is regularized`,
      );
    }
    this.layer = layer as KernelLayer;
    this.powerIterations = powerIterations;
  }

  /**
   * Makes a layer of a config, see {@link Layer.fromConfig}. The wrapped layer is in it as an envelope.
   *
   * @param customObjects - the class of the wrapped layer, with a static `fromConfig`, by its name
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_DTYPE`
   */
  static override fromConfig<L>(
    this: new (
      options: never,
    ) => L,
    config: Config,
    customObjects?: CustomObjects | null,
  ): L {
    const { layer, ...rest } = (isOptions(config) ? config : {}) as Config;
    const wrapped = layerOf('SpectralNormalization.fromConfig', layer as never, {}, customObjects);
    return new this({ ...optionsOf(rest, customObjects), layer: wrapped } as never);
  }

  override get weights(): Weight[] {
    const own = super.weights;
    const others = (this.layer.weights ?? []).map((variable) => this.#weightOf(variable));
    return [...own, ...others.filter((weight) => !own.includes(weight))];
  }

  override get trainable(): boolean {
    return super.trainable;
  }

  override set trainable(value: boolean) {
    super.trainable = value;
    if (this.layer.trainable !== undefined) this.layer.trainable = value;
  }

  override computeOutputShape(inputShape: PartialShape): (number | null)[] {
    const shape = super.computeOutputShape(inputShape);
    return this.layer.computeOutputShape?.(inputShape) ?? shape;
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      layer: serializeLayer(this.layer),
      power_iterations: this.powerIterations,
    };
  }

  override apply<X extends TensorLike>(x: X, options?: ApplyOptions | null): ResultOf<X, ComputeDType<P>> {
    const operation = `${this.className}.apply`;
    const { shape, training } = readApplyOptions(operation, options);
    const like = readInput(operation, 'x', x, shape, this.computeDtype);
    if (!this.built) this.build(like.shape);
    this.checkInput(operation, like.shape);
    if (training) this.#normalizeKernel();
    return this.layer.apply(x as never, options ?? {}) as ResultOf<X, ComputeDType<P>>;
  }

  override backward<Y extends TensorLike>(dy: Y): ResultOf<Y, ComputeDType<P>> {
    const { layer } = this;
    if (typeof layer.backward !== 'function') {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${this.className}.backward: the wrapped layer has no method backward, expected one`,
      );
    }
    const dx = layer.backward(dy as never);
    for (const variable of [layer.kernel, layer.embeddings, ...(layer.weights ?? [])]) {
      if (variable) this.#weightOf(variable).gradient = variable.gradient ?? null;
    }
    return dx as ResultOf<Y, ComputeDType<P>>;
  }

  override dispose(): void {
    this.layer.dispose?.();
  }

  protected override makeWeights(operation: string, inputShape: PartialShape): void {
    const { layer } = this;
    if (!layer.built) layer.build?.(inputShape);
    const variable = layer.kernel ?? layer.embeddings;
    if (!variable) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: layer ${layer.name ?? ''} object has no attribute 'kernel' nor 'embeddings', expected one of them once it is ` +
          'built',
      );
    }
    const kernel = this.#weightOf(variable);
    this.adoptWeight(kernel, true);
    this.vectorU = this.addWeight({
      name: 'vector_u',
      shape: [1, kernel.shape.at(-1) as number],
      initializer: new TruncatedNormal({ stddev: 0.02 }),
      dtype: kernel.dtype,
      trainable: false,
    });
    this.#kernel = kernel;
    this.#features = inputShape.at(-1) ?? null;
  }

  protected override checkInput(operation: string, shape: Shape): void {
    const features = this.#features;
    if (shape.length > 0 && (features === null || shape.at(-1) === features)) return;
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: Input 0 of layer "${this.name}" is incompatible with the layer: expected axis -1 to have size ${features}, ` +
        `found x ${formatShape(shape)}`,
    );
  }

  #normalizeKernel(): void {
    const [kernel, vector] = [this.#kernel, this.vectorU] as [Weight, Weight];
    const variable = this.layer.kernel ?? this.layer.embeddings;
    if (!variable || this.#weightOf(variable) !== kernel) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${this.className}.apply: the kernel of the wrapped layer has been replaced, expected new values in the array that it was built with`,
      );
    }
    const made = spectralNorm(kernel.numbers(), {
      shape: kernel.shape,
      u: vector.numbers(),
      powerIterations: this.powerIterations,
    });
    kernel.assign(made.kernel as Numbers);
    vector.assign(made.u as Numbers);
  }

  /** The weight that a variable is, or one that stands for it, on the same elements. */
  #weightOf(variable: KernelVariable): Weight {
    if (variable instanceof Weight) return variable;
    const known = this.#standing.get(variable);
    const value = variable.value ?? variable.data;
    if (known && known.value === value) return known;
    const types: Record<string, WeightDType> = {
      Float32Array: 'float32',
      Float64Array: 'float64',
      Float16Array: 'float16',
      Int32Array: 'int32',
      Uint16Array: variable.dtype === 'float16' ? 'float16' : 'bfloat16',
    };
    const dtype = types[typedArrayName(value) ?? ''];
    if (!value || !dtype || !Array.isArray(variable.shape)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${this.className}: a variable of the wrapped layer is ${describe(variable)}, expected a Weight, or an object with the ` +
          'elements in value or data, a typed array of floats, and a shape',
      );
    }
    const { shape, name = 'kernel', trainable = true } = variable;
    const path = `${this.layer.name ?? this.name}/${name}`;
    const weight = new Weight({ name, path, shape, dtype, value, trainable });
    this.#standing.set(variable, weight);
    return weight;
  }
}
