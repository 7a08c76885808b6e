import { initializers, type KernelLayer, Weight } from 'layernorm';

interface Rows {
  data: Float32Array;
  shape: number[];
}

/** A dense layer as users of SpectralNormalization have one: y = x W + b over the last dimension. */
export class Dense implements KernelLayer {
  readonly className = 'Dense';
  readonly name: string;
  readonly units: number;
  kernel: Weight | null = null;
  bias: Weight | null = null;
  built = false;
  trainable = true;
  readonly #config: Record<string, unknown>;
  #inputShape: (number | null)[] = [];
  #x: Rows = { data: new Float32Array(), shape: [] };

  constructor(config: Record<string, unknown>) {
    this.#config = config;
    this.name = config.name as string;
    this.units = config.units as number;
  }

  static fromConfig(config: Record<string, unknown>): Dense {
    return new Dense(config);
  }

  get weights(): Weight[] {
    return [this.kernel, this.bias].filter((weight) => weight !== null);
  }

  getConfig(): Record<string, unknown> {
    return this.#config;
  }

  getBuildConfig(): Record<string, unknown> {
    return { input_shape: this.#inputShape };
  }

  buildFromConfig({ input_shape }: Record<string, unknown>): void {
    this.build(input_shape as number[]);
  }

  build(inputShape: readonly (number | null)[]): void {
    this.#inputShape = [...inputShape];
    const features = inputShape.at(-1) as number;
    const initializer = initializers.get('glorot_uniform');
    this.kernel = new Weight({ name: 'kernel', shape: [features, this.units], initializer });
    this.bias = new Weight({ name: 'bias', shape: [this.units] });
    this.built = true;
  }

  computeOutputShape(inputShape: readonly (number | null)[]): (number | null)[] {
    return [...inputShape.slice(0, -1), this.units];
  }

  apply(x: Rows): Rows {
    this.#x = x;
    const features = x.shape.at(-1) as number;
    const [w, b] = [this.kernel?.value, this.bias?.value] as Float32Array[];
    const rows = x.data.length / features;
    const data = Float32Array.from({ length: rows * this.units }, (_, i) => {
      const [row, unit] = [Math.floor(i / this.units), i % this.units];
      let sum = b?.[unit] as number;
      for (let k = 0; k < features; k++) {
        sum += (x.data[row * features + k] as number) * (w?.[k * this.units + unit] as number);
      }
      return sum;
    });
    return { data, shape: [...x.shape.slice(0, -1), this.units] };
  }

  backward(dy: Rows): Rows {
    const x = this.#x;
    const features = x.shape.at(-1) as number;
    const w = this.kernel?.value as Float32Array;
    const dw = new Float32Array(w.length);
    const db = new Float32Array(this.units);
    const dx = new Float32Array(x.data.length);
    dy.data.forEach((d, i) => {
      const [row, unit] = [Math.floor(i / this.units), i % this.units];
      db[unit] = (db[unit] as number) + d;
      for (let k = 0; k < features; k++) {
        const [at, from] = [k * this.units + unit, row * features + k];
        dw[at] = (dw[at] as number) + d * (x.data[from] as number);
        dx[from] = (dx[from] as number) + d * (w[at] as number);
      }
    });
    if (this.kernel) this.kernel.gradient = dw;
    if (this.bias) this.bias.gradient = db;
    return { data: dx, shape: x.shape };
  }
}
