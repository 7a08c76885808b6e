// The settings as code. The TypeScript is run and compared with what the page computes, the rest is held to what each framework
// asks for.

import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm, unitNorm } from 'layernorm';
import { layoutOf, parametersOf } from '../../../web-demo/src/compute/groups.js';
import { type Floats, normalizeForward, optionsOf } from '../../../web-demo/src/compute/kernels.js';
import type { MethodName } from '../../../web-demo/src/compute/methods.js';
import { codeOf, LANGUAGES, type Language } from '../../../web-demo/src/explore/export/code.js';
import { tokensOf } from '../../../web-demo/src/explore/export/highlight.js';
import type { Subject } from '../../../web-demo/src/explore/export/subject.js';
import { shortest } from '../../../web-demo/src/explore/export/text.js';
import type { Parameter, Settings } from '../../../web-demo/src/explore/protocol.js';

interface Given extends Partial<Omit<Subject, 'settings'>>, Partial<Settings> {}

function subjectOf({ shape = [2, 3, 4], computed = 'float32', hasBatch = true, ...given }: Given): Subject {
  const size = shape.reduce((product, n) => product * n, 1);
  const values = Float64Array.from({ length: size }, (_, i) => Math.round(Math.cos(i * i + 1) * 300) / 100);
  const { method = 'layer', axis = [shape.length - 1], groups = 1, epsilon = 1e-3, gamma, beta } = given;
  return {
    shape,
    hasBatch,
    stored: given.stored ?? computed,
    computed,
    values: 'values' in given ? given.values : computed === 'float32' ? Float32Array.from(values) : values,
    npy: given.npy,
    settings: { method, axis, groups, epsilon, gamma, beta },
  };
}

const code = (language: Language, given: Given): string => codeOf(subjectOf(given), language);

const OPERATIONS: Record<string, unknown> = {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
  unitNorm,
};

/** What a program in TypeScript, without its import, calls y. */
function run(text: string): Floats {
  const [, name] = /^import \{ (\w+) \} from 'layernorm';\n/.exec(text) ?? [];
  const body = text.replace(/^import.*\n/, '').replace('console.log(y);', 'return y;');
  return new Function(name as string, body)(OPERATIONS[name as string]);
}

/** What the page computes. */
function computed({ shape, hasBatch, values, computed: type, settings }: Subject): Floats {
  const make = type === 'float32' ? Float32Array : Float64Array;
  const size = parametersOf(layoutOf(shape, settings, hasBatch));
  const expand = (parameter: Parameter): Floats | undefined =>
    parameter === undefined
      ? undefined
      : typeof parameter === 'number'
        ? new make(size).fill(parameter)
        : make.from(parameter);
  const options = optionsOf(shape, settings, hasBatch, expand(settings.gamma), expand(settings.beta));
  return normalizeForward(settings.method, make.from(values as Float64Array), options).y;
}

/** Axis sets of a shape, and for the methods that know channels each dimension that can count them. */
function* settingsOf(shape: readonly number[], hasBatch: boolean): Generator<Partial<Settings>> {
  for (let set = 1; set < 2 ** shape.length; set++) {
    const axis = [...shape.keys()].filter((d) => (set >> d) & 1);
    for (const method of ['layer', 'rms', 'unit'] as const) yield { method, axis };
  }
  for (const [d, channels] of shape.entries()) {
    yield { method: 'batch', axis: [d] };
    if (d === 0 && hasBatch) continue;
    yield { method: 'instance', axis: [d] };
    for (let groups = 1; groups <= channels; groups++) {
      if (channels % groups === 0) yield { method: 'group', axis: [d], groups };
    }
  }
  if (!hasBatch) for (const method of ['batch', 'group', 'instance'] as const) yield { method, axis: [] };
}

describe('TypeScript', () => {
  for (const shape of [[5], [4, 6], [2, 3, 4], [2, 4, 2, 3]]) {
    for (const hasBatch of [true, false]) {
      test(`of [${shape}]${hasBatch ? '' : ' without a batch'} gives what the page computes, bit for bit`, () => {
        let count = 0;
        for (const settings of settingsOf(shape, hasBatch)) {
          for (const type of ['float32', 'float64'] as const) {
            const layout = layoutOf(shape, { groups: 1, ...settings } as Settings, hasBatch);
            const list = Array.from({ length: parametersOf(layout) }, (_, i) => i / 3 - 1);
            for (const [gamma, beta] of [[], [2.5], [list, 0.1], [undefined, list]] as Parameter[][]) {
              const subject = subjectOf({
                shape,
                hasBatch,
                computed: type,
                ...settings,
                gamma,
                beta,
                epsilon: 0.1,
              });
              const y = run(codeOf(subject, 'typescript'));
              const expected = computed(subject);
              expect(y.constructor).toBe(expected.constructor);
              expect(y.every((value, i) => Object.is(value, expected[i])) && y.length).toBe(expected.length);
              count++;
            }
          }
        }
        expect(count).toBeGreaterThan(20);
      });
    }
  }

  test('keeps the type of the elements', () => {
    const text = code('typescript', { shape: [2, 3], stored: 'uint8', values: [0, 1, 2, 3, 4, 255] });
    expect(text).toContain('const x = new Uint8Array([0, 1, 2, 3, 4, 255]);');
  });

  test('writes numbers that are none', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-45, 3.4e38];
    const text = code('typescript', { shape: [2, 3], values: Float32Array.from(values) });
    expect(text).toContain('[NaN, Infinity, -Infinity, -0, 1e-45, 3.4e+38]');
    const torch = code('pytorch', { shape: [2, 3], values: Float32Array.from(values) });
    expect(torch).toMatch(/\[torch\.nan, torch\.inf, -torch\.inf\],\s+\[-0\.0, 1e-45, 3\.4e\+38\]/);
    expect(code('numpy', { shape: [2, 3], values })).toMatch(/\[np\.nan, np\.inf, -np\.inf\],\s+\[-0\.0,/);
  });
});

test('the shortest text of a float32 is that number', () => {
  expect(shortest(Math.fround(0.1), true)).toBe('0.1');
  expect(shortest(Math.fround(1 / 3), true)).toBe('0.33333334');
  expect(shortest(0.1 + 0.2, false)).toBe('0.30000000000000004');
  expect(shortest(0.1 + 0.2, true)).toBe('0.30000000000000004');
});

test('any data, settings and framework: no line is too long, and each names its y', () => {
  for (const language of LANGUAGES) {
    for (const settings of settingsOf([2, 4, 2, 3], true)) {
      const text = code(language, { shape: [2, 4, 2, 3], gamma: 2, beta: 1, ...settings });
      expect(text.endsWith('\n')).toBe(true);
      expect(text).toMatch(/^(const )?y = /m);
      for (const line of text.split('\n')) expect(line.length).toBeLessThan(104);
    }
  }
});

describe('large data', () => {
  const given = { shape: [1000, 8], values: undefined };

  test('have something to stand for them', () => {
    expect(run(code('typescript', given))).toHaveLength(8000);
    expect(code('numpy', given)).toMatch(/^x = np\.random.*size=\(1000, 8\).*# your data/m);
    expect(code('pytorch', given)).toMatch(/^x = torch\.randn\(\(1000, 8\), dtype=torch\.float32\)/m);
  });

  test('of a .npy are read from there, whatever it is called', () => {
    const npy = 'a "b"\\\n.npy';
    expect(code('numpy', { ...given, npy })).toContain('np.load("a \\"b\\"\\\\\\n.npy").astype(np.float32)');
    expect(code('pytorch', { ...given, npy })).toMatch(/^import numpy as np$/m);
  });
});

describe('PyTorch', () => {
  test('has its functions where they do the same', () => {
    expect(code('pytorch', { axis: [1, 2], gamma: 2 })).toContain(
      'F.layer_norm(x, [3, 4], weight=gamma, eps=0.001)',
    );
    expect(code('pytorch', { method: 'rms' })).toContain('F.rms_norm(x, [4], eps=0.001)');
    expect(code('pytorch', { method: 'unit', axis: [0, 2] })).toContain(
      'F.normalize(x, p=2, dim=(0, 2), eps=0.001)',
    );
    expect(code('pytorch', { method: 'batch', axis: [1] })).toContain(
      'F.batch_norm(x, None, None, training=True, eps=0.001)',
    );
    expect(code('pytorch', { method: 'instance', axis: [1] })).toContain('F.instance_norm(x, eps=0.001)');
  });

  test('gets other dimensions moved to where it wants them', () => {
    const layer = code('pytorch', { axis: [0, 2] });
    expect(layer).toContain('moved = x.movedim((0, 2), (-2, -1))');
    expect(layer).toContain('F.layer_norm(moved, [2, 4], eps=0.001)');
    expect(layer).toContain('y = y.movedim((-2, -1), (0, 2))');
    const group = code('pytorch', { method: 'group', axis: [2], groups: 2 });
    expect(group).toContain('moved = x.movedim(2, 1)');
    expect(group).toContain('F.group_norm(moved, 2, eps=0.001)');
    expect(code('pytorch', { method: 'batch', axis: [0], hasBatch: false })).toContain(
      'moved = x.reshape(1, 2, 3, 4)',
    );
  });

  test('gets the formula where it refuses', () => {
    const text = code('pytorch', { shape: [3, 4], method: 'instance', axis: [1], gamma: 2 });
    expect(text).toContain('unbiased=False');
    expect(text).not.toContain('F.');
  });

  test('names the layer of a model, with the parameters that it has', () => {
    expect(code('pytorch', {})).toContain('torch.nn.LayerNorm([4], eps=0.001, elementwise_affine=False)');
    expect(code('pytorch', { gamma: 1 })).toContain('torch.nn.LayerNorm([4], eps=0.001, bias=False)');
    expect(code('pytorch', { gamma: 1, beta: 0 })).toContain('torch.nn.LayerNorm([4], eps=0.001)');
    const maps = { shape: [2, 4, 3, 3], axis: [1] };
    expect(code('pytorch', { ...maps, method: 'batch' })).toContain(
      'torch.nn.BatchNorm2d(4, eps=0.001, affine=False)',
    );
    expect(code('pytorch', { ...maps, method: 'instance', gamma: 1 })).toContain(
      'torch.nn.InstanceNorm2d(4, eps=0.001, affine=True)',
    );
  });
});

describe('Keras', () => {
  test.each<[MethodName, Given, string]>([
    ['layer', { axis: [0, 2], beta: 1 }, 'LayerNormalization(axis=[0, 2], epsilon=0.001, scale=False)'],
    ['layer', {}, 'LayerNormalization(axis=-1, epsilon=0.001, center=False, scale=False)'],
    ['rms', { epsilon: 1e-6 }, 'RMSNormalization(axis=-1, epsilon=1e-6)'],
    ['unit', { epsilon: 1e-12, axis: [1] }, 'UnitNormalization(axis=1)'],
    ['batch', { axis: [1], gamma: 1, beta: 0 }, 'BatchNormalization(axis=1, epsilon=0.001)'],
    [
      'group',
      { axis: [2], groups: 2, gamma: 1, beta: 0 },
      'GroupNormalization(groups=2, axis=-1, epsilon=0.001)',
    ],
    ['instance', { axis: [1], gamma: 1, beta: 0 }, 'GroupNormalization(groups=-1, axis=1, epsilon=0.001)'],
    ['layer', { computed: 'float64' }, 'center=False, scale=False, dtype="float64")'],
  ])('%s', (method, given, expected) => {
    expect(code('keras', { method, ...given })).toContain(expected);
  });

  test('batch normalization is in training, where it takes the statistics of the batch', () => {
    expect(code('keras', { method: 'batch', axis: [1] })).toContain('norm(x, training=True)');
  });

  test('has the formula where a layer has no such axis or epsilon', () => {
    expect(code('keras', { method: 'rms', axis: [0] })).toContain(
      'ops.rsqrt(ops.mean(ops.square(x), axis=(0,)',
    );
    expect(code('keras', { method: 'unit', epsilon: 0.5 })).toContain('), 0.5)');
  });

  test('sets gamma and beta, by the names that the layers have for them', () => {
    expect(code('keras', { gamma: [1, 2, 3, 4], beta: 2 })).toMatch(
      /norm\.build\(x\.shape\)\nnorm\.gamma\.assign\(gamma\)\nnorm\.beta\.assign\(beta\)/,
    );
    expect(code('keras', { method: 'rms', gamma: 2 })).toContain('norm.scale.assign(gamma)');
  });
});

describe('ONNX', () => {
  const onnx = (given: Given) => code('onnx', given).replace(/\s+/g, ' ');

  test.each<[MethodName, Given, string, number]>([
    [
      'layer',
      { axis: [1, 2] },
      '"LayerNormalization", ["x", "gamma"], ["y"], axis=-2, epsilon=0.001, stash_type=1',
      17,
    ],
    ['rms', {}, '"RMSNormalization", ["x", "gamma"], ["y"], axis=-1, epsilon=0.001, stash_type=1', 23],
    ['unit', { epsilon: 1e-12, axis: [1] }, '"LpNormalization", ["x"], ["y"], axis=-2, p=2', 22],
    ['batch', { axis: [1] }, '["y", "running_mean", "running_var"], epsilon=0.001, training_mode=1', 15],
    [
      'group',
      { axis: [1], groups: 3 },
      '"GroupNormalization", ["x", "gamma", "beta"], ["y"], epsilon=0.001, num_groups=3, stash_type=1',
      21,
    ],
    ['instance', { axis: [1] }, '"InstanceNormalization", ["x", "gamma", "beta"], ["y"], epsilon=0.001', 22],
  ])('%s', (method, given, expected, opset) => {
    const text = onnx({ method, ...given });
    expect(text).toContain(expected);
    expect(text).toContain(`helper.make_opsetid("", ${opset})`);
  });

  test('a beta is there only where there is one', () => {
    expect(onnx({ beta: 1 })).toContain('["x", "gamma", "beta"]');
    expect(onnx({})).not.toContain('beta');
  });

  test('what one node cannot do is composed', () => {
    const moved = onnx({ axis: [0] });
    expect(moved).toContain('"Transpose", ["x"], ["moved"], perm=[1, 2, 0]');
    expect(moved).toContain('"Transpose", ["normalized"], ["y"], perm=[2, 0, 1]');
    expect(onnx({ method: 'unit', epsilon: 0.5 })).toMatch(/ReduceL2.*Max.*Div/);
    expect(onnx({ method: 'unit', axis: [0, 1], epsilon: 1e-12 })).toMatch(/ReduceL2.*Max.*Div/);
    expect(onnx({ shape: [3, 4], method: 'instance', axis: [1] })).toMatch(/np\.array\(\[3, 4, 1\].*Reshape/);
  });
});

test('a gamma of ones and a beta of zeros are what layers begin with', () => {
  const neutral = { gamma: [1, 1, 1, 1], beta: 0 };
  expect(code('keras', neutral)).toContain('LayerNormalization(axis=-1, epsilon=0.001)');
  for (const language of ['keras', 'pytorch', 'numpy'] as const) {
    expect(code(language, neutral)).not.toMatch(/gamma|beta/);
  }
  expect(code('onnx', neutral)).not.toContain('beta');
  expect(code('typescript', neutral)).toContain('epsilon: 0.001, gamma, beta })');
});

test('NumPy has the formula of each method', () => {
  expect(code('numpy', { axis: [0, 2] })).toContain('x.var(axis=(0, 2), keepdims=True, dtype=np.float64)');
  expect(code('numpy', { method: 'rms' })).toContain('mean_square');
  expect(code('numpy', { method: 'unit' })).toContain('np.maximum(norm, 0.001)');
  expect(code('numpy', { method: 'group', axis: [2], groups: 2, gamma: [1, 2, 3, 4] })).toMatch(
    /parts = x\.reshape\(2, 3, 2, 2\).*gamma\.reshape\(1, 1, 2, 2\)/s,
  );
});

test('comments, strings and keywords are found, and nothing is lost', () => {
  const text = 'import a from "b # c"; // d "e"\n# f\nimportant = 1';
  const tokens = tokensOf(text);
  expect(tokens.map((token) => token.text).join('')).toBe(text);
  expect(tokens.filter(({ kind }) => kind).map((token) => [token.kind, token.text])).toEqual([
    ['keyword', 'import'],
    ['keyword', 'from'],
    ['string', '"b # c"'],
    ['comment', '// d "e"'],
    ['comment', '# f'],
  ]);
});
