import { constraints, type Initializer, initializers, regularizers } from 'layernorm';
import { snakeCase } from '../../../js/src/layers/serialization.js';
import { expectError } from '../support/errors.js';
import { goldenCases } from '../support/golden.js';

interface Serialized {
  module: string;
  class_name: string;
  config: Record<string, unknown>;
  registered_name: null;
}

const FAMILIES = {
  'keras.initializers': initializers,
  'keras.regularizers': regularizers,
  'keras.constraints': constraints,
};

describe('golden: what Keras 3.16 writes', () => {
  const cases = goldenCases<{ name: string | null; serialized: Serialized }>('keras_serialized.json');

  test.each(cases.map((one) => [JSON.stringify(one.serialized), one] as const))(
    '%s',
    (json, { name, serialized }) => {
      const family = FAMILIES[serialized.module as keyof typeof FAMILIES];
      const one = family.deserialize(serialized);
      expect(JSON.stringify(family.serialize(one as never))).toBe(json);
      if (name !== null) expect(JSON.stringify(family.serialize(family.get(name) as never))).toBe(json);
    },
  );
});

test('class names as Keras writes them in snake_case', () => {
  const names = ['L1L2', 'OrthogonalRegularizer', 'MinMaxNorm', 'NonNeg', 'STFT', 'HeNormal', 'L1', 'Zeros'];
  expect(names.map(snakeCase)).toEqual([
    'l1l2',
    'orthogonal_regularizer',
    'min_max_norm',
    'non_neg',
    'stft',
    'he_normal',
    'l1',
    'zeros',
  ]);
});

test('every class goes by its name and its name in snake_case', () => {
  const pairs = {
    Zeros: 'zeros',
    Ones: 'ones',
    Constant: 'constant',
    Identity: 'identity',
    RandomNormal: 'random_normal',
    TruncatedNormal: 'truncated_normal',
    RandomUniform: 'random_uniform',
    VarianceScaling: 'variance_scaling',
    GlorotUniform: 'glorot_uniform',
    GlorotNormal: 'glorot_normal',
    HeUniform: 'he_uniform',
    HeNormal: 'he_normal',
    LecunUniform: 'lecun_uniform',
    LecunNormal: 'lecun_normal',
    Orthogonal: 'orthogonal',
  } as const;
  for (const [className, name] of Object.entries(pairs)) {
    const Class = initializers[className as keyof typeof pairs];
    expect(initializers.get(className)).toBeInstanceOf(Class);
    expect(initializers.get(name)).toBeInstanceOf(Class);
    expect(initializers.get(Class)).toBeInstanceOf(Class);
    expect(initializers.serialize(new Class())?.class_name).toBe(className);
  }
  const aliases = {
    normal: 'RandomNormal',
    uniform: 'RandomUniform',
    one: 'Ones',
    zero: 'Zeros',
    IdentityInitializer: 'Identity',
    OrthogonalInitializer: 'Orthogonal',
    LeCunNormal: 'LecunNormal',
  } as const;
  for (const [alias, className] of Object.entries(aliases)) {
    expect(initializers.get(alias)).toBeInstanceOf(initializers[className]);
  }
  const stft = { class_name: 'STFTInitializer', config: { side: 'real' } };
  expect(initializers.get(stft)).toBeInstanceOf(initializers.STFT);
});

test('null and undefined stay null', () => {
  for (const family of Object.values(FAMILIES)) {
    expect([family.get(null), family.get(undefined)]).toEqual([null, null]);
    expect([family.serialize(null), family.deserialize(null)]).toEqual([null, null]);
  }
});

test('an instance is used as it is', () => {
  const one = new initializers.HeNormal({ seed: 1 });
  expect(initializers.get(one)).toBe(one);
  const duck = { call: () => [1] };
  expect(initializers.get(duck)).toBe(duck);
});

describe('configs', () => {
  test('the short form of Keras 2 and TensorFlow.js, and snake_case in it', () => {
    const one = initializers.get({ class_name: 'constant', config: { value: 2 } });
    expect(one).toEqual(new initializers.Constant({ value: 2 }));
    expect(initializers.get({ class_name: 'Ones' })).toEqual(new initializers.Ones());
    expect(initializers.get({ class_name: 'Ones', config: null })).toEqual(new initializers.Ones());
  });

  test('of TensorFlow 1, which have the type of the weight in them', () => {
    const config = { seed: 3, dtype: 'float32' };
    expect(initializers.get({ class_name: 'HeNormal', config })?.getConfig?.()).toMatchObject({ seed: 3 });
    expect(initializers.get({ class_name: 'Zeros', config: { dtype: 'float32' } })).toEqual(
      new initializers.Zeros(),
    );
  });

  test('of other modules of Keras', () => {
    for (const module of [
      'keras.initializers',
      'keras.src.initializers.constant_initializers',
      'tf_keras.initializers',
    ]) {
      expect(initializers.get({ module, class_name: 'Ones', config: {} })).toEqual(new initializers.Ones());
    }
  });

  test('with arguments that the class does not have are refused', () => {
    expectError(
      () => initializers.get({ class_name: 'Constant', config: { val: 2 } }),
      'ERR_ARGUMENT',
      /Constant: unknown option 'val', expected value/,
    );
  });

  test('without a class are refused', () => {
    expectError(
      () => initializers.get({ config: {} } as never),
      'ERR_ARGUMENT',
      /Unknown `config`: an object without class_name, with the keys \['config'\]/,
    );
    expectError(
      () => initializers.get({ class_name: 3 } as never),
      'ERR_ARGUMENT',
      /Unknown `config`: class_name is 3/,
    );
    expectError(
      () => initializers.get({ class_name: 'Zeros', config: 'x' }),
      'ERR_ARGUMENT',
      /Unknown `config` of Zeros: 'x', expected an object/,
    );
  });

  test('of a class of someone else are not taken for one of ours', () => {
    const config = {};
    for (const other of [
      { module: null, class_name: 'Zeros', config },
      { module: 'mine', class_name: 'Zeros', config },
      { module: 'keras.initializers', class_name: 'Zeros', config, registered_name: 'mine>Zeros' },
    ]) {
      expectError(
        () => initializers.get(other),
        'ERR_ARGUMENT',
        /Could not interpret initializer identifier: 'Zeros', .*expected a class of your own, in customObjects/,
      );
    }
  });
});

describe('what is not known', () => {
  test.each([
    [
      'initializer',
      initializers,
      /expected one of Zeros, Ones, .*he_normal, .*orthogonal, stft, zero, one, normal/,
    ],
    [
      'regularizer',
      regularizers,
      /expected one of L1, L2, L1L2, OrthogonalRegularizer, l1, l2, l1l2, .*l1_l2$/,
    ],
    [
      'constraint',
      constraints,
      /expected one of MaxNorm, MinMaxNorm, NonNeg, UnitNorm, max_norm, .*unit_norm$/,
    ],
  ] as const)('an %s: the message lists what is', (noun, family, list) => {
    const message = new RegExp(`${noun}s\\.get: Could not interpret ${noun} identifier: 'typo', `);
    expectError(() => family.get('typo'), 'ERR_ARGUMENT', message);
    expectError(() => family.get('typo'), 'ERR_ARGUMENT', list);
    for (const identifier of [3, true, Symbol.iterator]) {
      expectError(() => family.get(identifier as never), 'ERR_ARGUMENT', /Could not interpret/);
    }
    expectError(() => family.get('toString'), 'ERR_ARGUMENT', /Could not interpret/);
    expectError(() => family.get({} as never), 'ERR_ARGUMENT', /Unknown `config`.*Could not interpret/);
  });

  test('names are case-sensitive, with a hint', () => {
    expectError(
      () => initializers.get('ZEROS'),
      'ERR_ARGUMENT',
      /identifier: 'ZEROS', did you mean 'Zeros'\?/,
    );
    expectError(
      () => constraints.get('maxNorm'),
      'ERR_ARGUMENT',
      /identifier: 'maxNorm', did you mean 'MaxNorm'\?/,
    );
  });

  test('arrays are no regularizers', () => {
    expectError(
      () => regularizers.get([1] as never),
      'ERR_ARGUMENT',
      /Could not interpret regularizer identifier/,
    );
  });
});

describe('classes and functions of your own', () => {
  class Ramp implements Initializer {
    readonly slope: number;

    constructor({ slope = 1 }: { slope?: number } = {}) {
      this.slope = slope;
    }

    call(shape: readonly number[]): number[] {
      return Array.from({ length: shape[0] as number }, (_, i) => i * this.slope);
    }

    getConfig(): Record<string, unknown> {
      return { slope: this.slope };
    }
  }

  test('a class goes by its name, and comes back through customObjects', () => {
    expect(initializers.get(Ramp)?.call([3])).toEqual([0, 1, 2]);
    const written = initializers.serialize(new Ramp({ slope: 2 }));
    expect(written).toEqual({
      module: null,
      class_name: 'Ramp',
      config: { slope: 2 },
      registered_name: 'Ramp',
    });
    const back = initializers.deserialize(written, { Ramp });
    expect(back).toBeInstanceOf(Ramp);
    expect(back?.call([2])).toEqual([0, 2]);
    expect(initializers.get('Ramp', { Ramp })).toBeInstanceOf(Ramp);
    expectError(() => initializers.deserialize(written), 'ERR_ARGUMENT', /in customObjects/);
  });

  test('a class may have fromConfig, and a registered name', () => {
    class Made extends Ramp {
      static fromConfig(config: { slope: number }): Made {
        return new Made({ slope: config.slope * 10 });
      }
    }
    const config = { module: 'mine', class_name: 'Made', config: { slope: 1 }, registered_name: 'mine>Made' };
    expect(initializers.deserialize(config, { 'mine>Made': Made })?.call([2])).toEqual([0, 10]);
  });

  test('className stands where a minifier changes names', () => {
    const named = { className: 'Mine', call: () => [], getConfig: () => ({ a: 1 }) };
    expect(initializers.serialize(named)).toEqual({
      module: null,
      class_name: 'Mine',
      config: { a: 1 },
      registered_name: 'Mine',
    });
    expect(initializers.get('Mine', { Mine: named })).toBe(named);
  });

  test('a class made from one of ours is not written as that one', () => {
    class Twos extends initializers.Constant {}
    expect(initializers.serialize(new Twos({ value: 2 }))).toMatchObject({
      module: null,
      class_name: 'Twos',
    });
  });

  test('a function goes by its name', () => {
    function halves(shape: readonly number[]): number[] {
      return shape.map(() => 0.5);
    }
    const one = initializers.get(halves);
    const written = initializers.serialize(one);
    expect(written).toEqual({
      module: 'builtins',
      class_name: 'function',
      config: 'halves',
      registered_name: 'function',
    });
    expect(initializers.serialize(halves)).toEqual(written);
    expect(initializers.deserialize(written, { halves })?.call([1, 1])).toEqual([0.5, 0.5]);
    expectError(
      () => initializers.deserialize(written),
      'ERR_ARGUMENT',
      /identifier: 'halves', expected a function, in customObjects/,
    );
  });

  test('what no config can say is refused', () => {
    expectError(
      () => initializers.serialize(initializers.get(() => [])),
      'ERR_ARGUMENT',
      /initializers\.serialize: a function cannot be written to a config/,
    );
    expectError(() => regularizers.serialize({ call: () => 0 }), 'ERR_ARGUMENT', /with getConfig/);
  });
});
