import { initializers, tensor } from 'layernorm';
import { expectError } from '../support/errors.js';

const {
  Constant,
  GlorotUniform,
  HeNormal,
  HeUniform,
  Identity,
  Ones,
  Orthogonal,
  RandomNormal,
  RandomUniform,
  STFT,
  SeedGenerator,
  TruncatedNormal,
  VarianceScaling,
  Zeros,
} = initializers;

const array = (values: ArrayLike<number> | undefined): number[] => Array.from(values ?? []);

function statistics(values: ArrayLike<number>): { mean: number; std: number; min: number; max: number } {
  const all = array(values);
  const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
  const variance = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length;
  const min = all.reduce((least, x) => Math.min(least, x));
  const max = all.reduce((most, x) => Math.max(most, x));
  return { mean, std: Math.sqrt(variance), min, max };
}

describe('values that are not random', () => {
  test('zeros, ones, a constant', () => {
    expect(new Zeros().call([2, 2])).toEqual(new Float64Array(4));
    expect(new Ones().call([3], 'float16')).toEqual(new Float64Array([1, 1, 1]));
    expect(new Constant({ value: -0.5 }).call([2])).toEqual(new Float64Array([-0.5, -0.5]));
    expect(new Constant().call([])).toEqual(new Float64Array(1));
    expect(new Ones().call([0, 3])).toEqual(new Float64Array(0));
  });

  test('the identity, of any sides', () => {
    expect(array(new Identity().call([2, 2]))).toEqual([1, 0, 0, 1]);
    expect(array(new Identity({ gain: 3 }).call([2, 3]))).toEqual([3, 0, 0, 0, 3, 0]);
    expect(array(new Identity().call([3, 2]))).toEqual([1, 0, 0, 1, 0, 0]);
    expect(array(new Identity().call([0, 2]))).toEqual([]);
    expectError(
      () => new Identity().call([4]),
      'ERR_SHAPE',
      /Identity matrix initializer can only be used for 2D matrices, got shape \[4\] of rank 1/,
    );
  });

  test('sizes are checked', () => {
    expectError(() => new Zeros().call([-1]), 'ERR_SHAPE', /Zeros\.call: dimension 0 .* is -1/);
    expectError(() => new RandomNormal().call(3 as never), 'ERR_SHAPE', /RandomNormal\.call: the shape/);
  });
});

describe('seeds', () => {
  const random = () => [
    new RandomNormal({ seed: 3 }),
    new TruncatedNormal({ seed: 3 }),
    new RandomUniform({ seed: 3 }),
    new VarianceScaling({ seed: 3 }),
    new GlorotUniform({ seed: 3 }),
    new HeNormal({ seed: 3 }),
    new Orthogonal({ seed: 3 }),
  ];

  test('the same seed gives the same values, in every instance and call', () => {
    const again = random();
    random().forEach((one, i) => {
      const values = one.call([3, 4]);
      expect(one.call([3, 4])).toEqual(values);
      expect(again[i]?.call([3, 4])).toEqual(values);
    });
  });

  test('without one each instance draws its own, and keeps it', () => {
    const one = new RandomNormal();
    expect(one.call([5])).toEqual(one.call([5]));
    expect(one.call([5])).not.toEqual(new RandomNormal().call([5]));
    expect(one.getConfig().seed).toBeNull();
  });

  test('other seeds give other values', () => {
    expect(new RandomNormal({ seed: 1 }).call([5])).not.toEqual(new RandomNormal({ seed: 2 }).call([5]));
  });

  test('a seed generator gives other values with each call, the same in each program', () => {
    const make = () => new RandomUniform({ seed: new SeedGenerator({ seed: 5 }) });
    const [one, two] = [make(), make()];
    const first = one.call([4]);
    const second = one.call([4]);
    expect(second).not.toEqual(first);
    expect([two.call([4]), two.call([4])]).toEqual([first, second]);
    const config = one.getConfig();
    expect(config.seed).toEqual({
      module: 'keras.random',
      class_name: 'SeedGenerator',
      config: { seed: 5 },
      registered_name: null,
    });
    expect(RandomUniform.fromConfig(config).call([4])).toEqual(first);
  });

  test('anything else is refused', () => {
    for (const seed of [1.5, 'a', 2 ** 60, {}, true]) {
      expectError(
        () => new HeNormal({ seed: seed as never }),
        'ERR_ARGUMENT',
        /HeNormal: `seed` argument should be an instance of SeedGenerator or an integer/,
      );
    }
  });
});

describe('distributions', () => {
  const shape = [25, 20];
  const large = [500, 400];

  test('normal: mean and standard deviation, as Keras tests them', () => {
    for (const Class of [RandomNormal, TruncatedNormal]) {
      const values = new Class({ mean: 0, stddev: 1, seed: 1337 }).call(shape);
      const { mean, std } = statistics(values);
      expect(Math.abs(mean)).toBeLessThan(0.1);
      expect(Math.abs(std - (Class === RandomNormal ? 1 : 0.88))).toBeLessThan(0.1);
    }
    const { mean, std } = statistics(new RandomNormal({ mean: 3, stddev: 0.5, seed: 1 }).call(large));
    expect(Math.abs(mean - 3)).toBeLessThan(0.01);
    expect(Math.abs(std - 0.5)).toBeLessThan(0.01);
  });

  test('truncated at two standard deviations', () => {
    const { mean, std, min, max } = statistics(
      new TruncatedNormal({ mean: 1, stddev: 2, seed: 1 }).call(large),
    );
    expect(min).toBeGreaterThanOrEqual(-3);
    expect(max).toBeLessThanOrEqual(5);
    expect(min).toBeLessThan(-2.99);
    expect(Math.abs(mean - 1)).toBeLessThan(0.02);
    expect(Math.abs(std - 2 * 0.8796256610342398)).toBeLessThan(0.02);
  });

  test('uniform: bounds and mean', () => {
    const { mean, min, max } = statistics(new RandomUniform({ minval: -1, maxval: 3, seed: 1 }).call(large));
    expect(min).toBeGreaterThanOrEqual(-1);
    expect(max).toBeLessThan(3);
    expect(min).toBeLessThan(-0.999);
    expect(max).toBeGreaterThan(2.999);
    expect(Math.abs(mean - 1)).toBeLessThan(0.02);
    expect(array(new RandomUniform({ minval: 2, maxval: 2 }).call([2]))).toEqual([2, 2]);
  });

  test.each([
    ['fan_in', 25],
    ['fan_out', 20],
    ['fan_avg', 22.5],
  ] as const)('variance scaling by %s: a standard deviation of sqrt(2 / %d)', (mode, units) => {
    for (const distribution of ['truncated_normal', 'untruncated_normal', 'uniform', 'normal'] as const) {
      const one = new VarianceScaling({ scale: 2, mode, distribution, seed: 1337 });
      const { mean, std, max } = statistics(one.call(shape));
      const expected = Math.sqrt(2 / units);
      expect(Math.abs(mean)).toBeLessThan(0.1 * expected * 2);
      expect(Math.abs(std / expected - 1)).toBeLessThan(0.1);
      if (distribution === 'uniform') expect(max).toBeLessThan(Math.sqrt(3) * expected);
      if (distribution === 'truncated_normal') expect(max).toBeLessThanOrEqual((2 * expected) / 0.8796);
    }
  });

  test.each([
    ['GlorotUniform', 1 / 450, true],
    ['GlorotNormal', 1 / 450, false],
    ['HeUniform', 2 / 500, true],
    ['HeNormal', 2 / 500, false],
    ['LecunUniform', 1 / 500, true],
    ['LecunNormal', 1 / 500, false],
  ] as const)('%s', (name, variance, uniform) => {
    const Class = initializers[name];
    const { mean, std, max } = statistics(new Class({ seed: 4 }).call(large));
    expect(Math.abs(mean)).toBeLessThan(0.01 * Math.sqrt(variance));
    expect(Math.abs(std / Math.sqrt(variance) - 1)).toBeLessThan(0.01);
    const limit = Math.sqrt(variance) * (uniform ? Math.sqrt(3) : 2 / 0.87962566103423978);
    expect(max).toBeLessThanOrEqual(limit);
    expect(max).toBeGreaterThan(0.99 * limit);
  });

  test('fans: of vectors, kernels of convolutions, single numbers, and axes that are named', () => {
    const limit = (shape: readonly number[], options = {}): number => {
      const one = new VarianceScaling({ distribution: 'uniform', seed: 1, ...options });
      return Math.round(3 / statistics(one.call(shape)).max ** 2);
    };
    // The largest of a few thousand values comes within a thousandth or so of the bound.
    const about = (units: number): object => expect.closeTo(units, -Math.log10(units / 50));
    expect(limit([5000])).toEqual(about(5000));
    expect(limit([3, 3, 10, 50])).toEqual(about(90));
    expect(limit([3, 3, 10, 50], { mode: 'fan_out' })).toEqual(about(450));
    expect(limit([10, 4, 50], { inputAxes: 0, outputAxes: [1, 2] })).toEqual(about(10));
    expect(limit([10, 4, 50], { inputAxes: [0], outputAxes: [1, -1], mode: 'fan_out' })).toEqual(about(200));
    // One without the other counts for nothing.
    expect(limit([10, 4, 50], { inputAxes: [0] })).toEqual(about(40));
    expect(array(new HeNormal({ seed: 1 }).call([]))).toHaveLength(1);
    expectError(
      () => new HeNormal({ inputAxes: 2, outputAxes: 0 }).call([2, 2]),
      'ERR_AXIS',
      /HeNormal\.call: axis 2 is out of bounds/,
    );
  });

  test.each([[[30, 20]], [[20, 30]], [[2, 3, 5, 7]], [[7, 1]], [[1, 1]], [[3, 0]]])(
    'orthogonal of shape %p',
    (shape) => {
      const gain = 2;
      const values = new Orthogonal({ gain, seed: 1 }).call(shape);
      const cols = shape[shape.length - 1] as number;
      const rows = cols === 0 ? 0 : values.length / cols;
      const at = (i: number, k: number): number =>
        rows < cols ? (values[i * cols + k] as number) : (values[k * cols + i] as number);
      for (let i = 0; i < Math.min(rows, cols); i++) {
        for (let j = 0; j <= i; j++) {
          let sum = 0;
          for (let k = 0; k < Math.max(rows, cols); k++) sum += at(i, k) * at(j, k);
          expect(sum).toBeCloseTo(i === j ? gain * gain : 0, 12);
        }
      }
      expectError(
        () => new Orthogonal().call([3]),
        'ERR_SHAPE',
        /The tensor to initialize must be at least two-dimensional/,
      );
    },
  );
});

describe('the kernels of short-time Fourier transforms', () => {
  test('are waves times the window, divided by its norm', () => {
    const [frames, bins] = [8, 5];
    for (const side of ['real', 'imag'] as const) {
      for (const [window, scaling] of [
        ['hann', 'density'],
        ['hamming', 'spectrum'],
        [null, null],
        ['blackman', null],
      ] as const) {
        const values = new STFT({ side, window, scaling, periodic: true }).call([frames, 1, bins]);
        const shape = Array.from({ length: frames }, (_, t) => {
          const a = (2 * Math.PI * t) / frames;
          if (window === 'hann') return 0.5 - 0.5 * Math.cos(a);
          if (window === 'hamming') return 0.54 - 0.46 * Math.cos(a);
          return window === null ? 1 : 0.42 - 0.5 * Math.cos(a) + 0.08 * Math.cos(2 * a);
        });
        const scale =
          scaling === null
            ? 1
            : scaling === 'density'
              ? Math.sqrt(shape.reduce((sum, x) => sum + x * x, 0))
              : shape.reduce((sum, x) => sum + Math.abs(x), 0);
        shape.forEach((weight, t) => {
          for (let f = 0; f < bins; f++) {
            const angle = (-2 * Math.PI * t * f) / 8;
            const wave = side === 'real' ? Math.cos(angle) : Math.sin(angle);
            expect(values[t * bins + f]).toBeCloseTo((wave * weight) / scale, 12);
          }
        });
      }
    }
  });

  test('symmetric windows, windows of their own, and the shortest frame', () => {
    const window = (options: object, frames: number): number[] =>
      array(new STFT({ side: 'real', scaling: null, ...options }).call([frames, 1, 2])).filter(
        (_, i) => i % 2 === 0,
      );
    expect(window({}, 5)).toEqual([0, 0.5, 1, 0.5, 0].map((x) => expect.closeTo(x, 15)));
    expect(window({ window: [1, 2, 3] }, 3)).toEqual([1, 2, 3]);
    expect(window({}, 1)).toEqual([1]);
    expect(window({ window: 'flattop' }, 3)[1]).toBeCloseTo(1, 8);
  });

  test('what does not fit is refused', () => {
    expectError(
      () => new STFT({ side: 'x' as never }),
      'ERR_ARGUMENT',
      /side should be 'real' or 'imag', not 'x'/,
    );
    expectError(() => initializers.get('stft'), 'ERR_ARGUMENT', /side should be 'real' or 'imag'/);
    expectError(
      () => new STFT({ side: 'real', window: 'kaiser' }),
      'ERR_ARGUMENT',
      /window is 'kaiser', expected boxcar, hann, .*the values of any other window/,
    );
    expectError(() => new STFT({ side: 'real', scaling: 'x' as never }), 'ERR_ARGUMENT', /`scaling`/);
    expectError(() => new STFT({ side: 'real', periodic: 1 as never }), 'ERR_ARGUMENT', /periodic is 1/);
    expectError(() => new STFT({ side: 'real' }).call([4, 2, 3]), 'ERR_SHAPE', /\[frame_length, 1, /);
    expectError(
      () => new STFT({ side: 'real', window: [1, 2] }).call([4, 1, 3]),
      'ERR_SHAPE',
      /The shape of `window` must be equal to \[frame_length\]/,
    );
  });
});

test.each([
  [() => new VarianceScaling({ scale: 0 }), /Argument `scale` must be positive float, got 0/],
  [() => new VarianceScaling({ scale: -1 }), /Argument `scale` must be positive float/],
  [() => new VarianceScaling({ mode: 'fan' as never }), /Invalid `mode` argument: 'fan'/],
  [() => new VarianceScaling({ distribution: 'x' as never }), /Invalid `distribution` argument: 'x'/],
  [() => new Constant({ value: 'a' as never }), /Constant: value is 'a', expected a finite number/],
  [
    () => new RandomNormal({ std: 1 } as never),
    /RandomNormal: unknown option 'std', expected mean, stddev, seed/,
  ],
  [
    () => new RandomUniform(0.5 as never),
    /options is 0\.5, expected an object such as \{ minval: -1, maxval: 1 \}/,
  ],
  [() => new Zeros({ value: 1 } as never), /Zeros: unknown option 'value', expected none/],
  [() => new HeNormal({ inputAxes: 1.5 }), /inputAxes is 1\.5, expected an integer or an array of integers/],
])('bad arguments %#', (call, message) => {
  expectError(call, 'ERR_ARGUMENT', message);
});

test('null stands for the defaults', () => {
  expect(new RandomNormal({ mean: null, stddev: null, seed: null }).getConfig()).toEqual({
    seed: null,
    mean: 0,
    stddev: 0.05,
  });
  expect(new Constant(null).getConfig()).toEqual({ value: 0 });
});

describe('configs, with the keys of Keras in its order', () => {
  const json = (one: { getConfig(): object }): string => JSON.stringify(one.getConfig());

  test.each([
    [new Constant({ value: 2 }), '{"value":2}'],
    [new Identity({ gain: 2 }), '{"gain":2}'],
    [new RandomUniform({ seed: 1 }), '{"seed":1,"minval":-0.05,"maxval":0.05}'],
    [
      new VarianceScaling({ scale: 2, mode: 'fan_avg', distribution: 'normal', seed: 3 }),
      '{"seed":3,"scale":2,"mode":"fan_avg","distribution":"truncated_normal","input_axes":null,"output_axes":null}',
    ],
    [new HeUniform({ inputAxes: [0], outputAxes: 1 }), '{"seed":null,"input_axes":[0],"output_axes":1}'],
    [new Orthogonal({ gain: 3 }), '{"seed":null,"gain":3}'],
    [
      new STFT({ side: 'imag', window: null, scaling: null }),
      '{"side":"imag","window":null,"periodic":false,"scaling":null}',
    ],
  ])('%#', (one, expected) => {
    expect(json(one)).toBe(expected);
    const again = initializers.deserialize(initializers.serialize(one));
    expect(again?.constructor).toBe(one.constructor);
    expect(json(again as typeof one)).toBe(expected);
  });
});

describe('arrays and functions', () => {
  test('an array gives its values to weights of its shape', () => {
    expect(array(initializers.get([1, 2, 3])?.call([3]))).toEqual([1, 2, 3]);
    expect(array(initializers.get(new Float32Array([4, 5]))?.call([2]))).toEqual([4, 5]);
    expect(array(initializers.get([[1, 2], [3, 4]])?.call([2, 2]))).toEqual([1, 2, 3, 4]); // biome-ignore format: rows
    using held = tensor([[1.5, 2]], undefined, 'float16');
    const one = initializers.get(held);
    expect(array(one?.call([1, 2]))).toEqual([1.5, 2]);
    expect(
      array(initializers.get({ data: new Uint16Array([0x3f80]), dims: [1], type: 'bfloat16' })?.call([1])),
    ).toEqual([1]);
    expectError(
      () => one?.call([2]),
      'ERR_SHAPE',
      /the array has shape \[1, 2\], expected \[2\], that of the weight/,
    );
    expectError(() => initializers.serialize(one), 'ERR_ARGUMENT', /cannot be written to a config/);
  });

  test('what comes out can be changed without changing the next', () => {
    const one = initializers.get([1, 2]);
    const values = one?.call([2]) as Float64Array;
    values.fill(0);
    expect(array(one?.call([2]))).toEqual([1, 2]);
  });

  test('a function is called with shape and type', () => {
    const one = initializers.get((shape, dtype) => [shape.length, dtype === 'float16' ? 1 : 0]);
    expect(one?.call([2], 'float16')).toEqual([1, 1]);
  });
});
