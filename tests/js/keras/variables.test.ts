import * as h5wasm from 'h5wasm/node';
import * as jsfive from 'jsfive';
import { type Hdf5Dataset, type Hdf5File, type Hdf5Group, openHdf5 } from '../../../js/src/keras/hdf5.js';
import { findVariables, type Variables } from '../../../js/src/keras/variables.js';
import { expectError } from '../support/errors.js';
import {
  floatType,
  type Hdf5Array,
  integerType,
  opaqueType,
  textType,
  writeHdf5,
} from '../support/hdf5_writer.js';
import {
  expectedModels,
  MODELS,
  modelFile,
  numbered,
  valuesOf,
  weightsFile,
} from '../support/keras_files.js';

const LIMIT = 2 ** 30;
const PART = 'the .weights.h5 file';
const files: Hdf5File[] = [];
afterEach(() => {
  for (const file of files.splice(0)) file.close?.();
});

async function found(bytes: Uint8Array, hdf5: unknown = jsfive, limit = LIMIT): Promise<Variables> {
  const file = await openHdf5(PART, bytes, hdf5);
  files.push(file);
  return findVariables(PART, file, bytes.length, limit);
}

const bits = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);

describe.each([
  ['jsfive', jsfive],
  ['h5wasm', h5wasm],
])('%s', (_, hdf5) => {
  test.each(MODELS)('golden: all variables of %s', async (model) => {
    const variables = await found(modelFile(`${model}.weights.h5`), hdf5);
    const expected = Object.entries(expectedModels()[model].weights);
    let count = 0;
    for (const { layerName, path, count: own, read } of variables.values()) {
      expect(path).toMatch(/vars$/);
      for (let i = 0; i < own; ++i, ++count) {
        const [, { shape, data, dtype }] = expected.filter(([name]) => name.split('/').at(-2) === layerName)[
          i
        ] as never as [string, { shape: number[]; data: number[]; dtype: string }];
        const weight = read(i);
        expect([[...weight.shape], weight.dtype]).toEqual([shape, dtype]);
        expect(weight.data).toEqual(Float32Array.from(data));
      }
    }
    expect(count).toBe(expected.length);
  });

  test.each<[string, Hdf5Array, unknown]>([
    [
      'float64',
      { shape: [2], type: floatType(8), bytes: new Uint8Array(Float64Array.of(0.1, 1e300).buffer) },
      Float64Array.of(0.1, 1e300),
    ],
    [
      'int64',
      { shape: [1], type: integerType(8, true), bytes: new Uint8Array(BigInt64Array.of(-9n).buffer) },
      Float64Array.of(-9),
    ],
    [
      'int32',
      { shape: [1], type: integerType(4, true), bytes: new Uint8Array(Int32Array.of(-9).buffer) },
      Int32Array.of(-9),
    ],
    [
      'uint32',
      { shape: [1], type: integerType(4, false), bytes: new Uint8Array(Uint32Array.of(4e9).buffer) },
      Float64Array.of(4e9),
    ],
    [
      'bfloat16',
      { shape: [2], type: opaqueType(2), bytes: bits(0x3f80, 0xc020), attributes: { dtype: 'bfloat16' } },
      Float32Array.of(1, -2.5),
    ],
    [
      'bfloat16',
      {
        shape: [2],
        type: integerType(2, false),
        bytes: bits(0x3f80, 0xc020),
        attributes: { dtype: 'bfloat16' },
      },
      Float32Array.of(1, -2.5),
    ],
    [
      'float32',
      { shape: [], type: floatType(4), bytes: new Uint8Array(Float32Array.of(7).buffer) },
      Float32Array.of(7),
    ],
  ])('%s', async (dtype, array, data) => {
    const variables = await found(weightsFile({ 'layers/dense': ['d', array] }), hdf5);
    expect(variables.get('layers/dense')?.read(0)).toEqual({ data, shape: array.shape, dtype });
  });

  test.each<[string, Hdf5Array, string | RegExp]>([
    [
      'text',
      { shape: [1], type: textType(4), bytes: new Uint8Array(4) },
      /layers\/dense\/vars\/0: its elements are of type '.+', expected numbers$/,
    ],
    [
      'bytes without a meaning',
      { shape: [1], type: opaqueType(2), bytes: new Uint8Array(2) },
      /its elements are of type 'opaque2'/,
    ],
    [
      'a shape of terabytes',
      { ...numbered([2]), shape: [1e6, 1e6] },
      /its shape \[1000000, 1000000\] comes to more than the 1073741824 bytes|the HDF5 reader cannot read it/,
    ],
  ])('%s is refused', async (_, array, message) => {
    const variables = await found(weightsFile({ 'layers/dense': ['d', array] }), hdf5);
    expectError(() => variables.get('layers/dense')?.read(0), 'ERR_FILE', message);
  });

  test('a shape that reaches beyond the end of the file', async () => {
    const variables = await found(
      weightsFile({ 'layers/dense': ['d', { ...numbered([2]), shape: [1e8] }] }),
      hdf5,
    );
    expectError(
      () => variables.get('layers/dense')?.read(0),
      'ERR_FILE',
      /^the \.weights\.h5 file: layers\/dense\/vars\/0: /,
    );
  });
});

test('an array without elements', async () => {
  const empty = { shape: [0, 3], type: floatType(4), bytes: new Uint8Array(0) };
  const variables = await found(weightsFile({ a: ['a', empty] }));
  expect(variables.get('a')?.read(0)).toEqual({ data: new Float32Array(0), shape: [0, 3], dtype: 'float32' });
});

test('float16 becomes float32', async () => {
  const half = { shape: [3], type: floatType(2), bytes: bits(0x3c00, 0x7bff, 0x0001) };
  const variables = await found(weightsFile({ a: ['a', half] }));
  expect(variables.get('a')?.read(0)).toEqual({
    data: Float32Array.of(1, 65504, 2 ** -24),
    shape: [3],
    dtype: 'float16',
  });
});

test('the groups of nested models, of Keras 2.13, and of the model itself', async () => {
  const variables = await found(
    weightsFile({
      '': ['model', numbered([1])],
      'layers/functional/layers/dense': ['inner', numbered([2]), numbered([3])],
      '_layer_checkpoint_dependencies/dense': ['old', numbered([4])],
      norm: ['sub', numbered([5])],
    }),
  );
  expect([...variables].map(([group, { layerName, count }]) => [group, layerName, count]).sort()).toEqual([
    ['', 'model', 1],
    ['layers/dense', 'old', 1],
    ['layers/functional/layers/dense', 'inner', 2],
    ['norm', 'sub', 1],
  ]);
  expect(variables.get('layers/functional/layers/dense')?.read(1).data).toEqual(
    Float32Array.from(valuesOf(3)),
  );
});

test('variables that are not numbered in a row', async () => {
  const arrays = { 0: numbered([1]), 2: numbered([1]) };
  await expect(
    found(writeHdf5({ groups: { layer: { groups: { vars: { arrays } } } } })),
  ).rejects.toMatchObject({
    code: 'ERR_FILE',
    message: 'the .weights.h5 file: layer/vars: variable 1 of 2 is missing',
  });
});

describe('readers that say anything', () => {
  const dataset = (given: Partial<Hdf5Dataset>): Hdf5Dataset => ({
    kind: 'dataset',
    shape: [2],
    dtype: 'float32',
    attribute: () => undefined,
    read: () => [1, 2],
    ...given,
  });
  const group = (content: Record<string, Hdf5Group | Hdf5Dataset | null>): Hdf5Group => ({
    kind: 'group',
    keys: Object.keys(content),
    get: (name) => content[name] ?? null,
    attribute: () => undefined,
  });
  const read = async (given: Hdf5Group | Hdf5Dataset | null) => {
    const variables = await found(new Uint8Array(100), () => ({
      root: group({ vars: group({ 0: given }) }),
    }));
    return variables.get('')?.read(0);
  };

  test.each<[string, Hdf5Group | Hdf5Dataset | null, string | RegExp]>([
    ['nothing', null, `${PART}: vars/0: it is no array`],
    ['a group', group({}), `${PART}: vars/0: it is no array`],
    ['too few elements', dataset({ read: () => [1] }), `${PART}: vars/0: it has 1 elements, its shape [2] 2`],
    [
      'no elements',
      dataset({ read: () => null as never }),
      `${PART}: vars/0: it has undefined elements, its shape [2] 2`,
    ],
    ['holes', dataset({ read: () => new Array(2) }), `${PART}: vars/0: it has no data`],
    [
      'a shape that is none',
      dataset({ shape: [-1, Number.NaN] }),
      `${PART}: vars/0: its shape is [-1, NaN], expected sizes`,
    ],
    [
      'a type that is none',
      dataset({ dtype: 'constructor' }),
      `${PART}: vars/0: its elements are of type 'constructor', expected numbers`,
    ],
    [
      'an error',
      dataset({
        read: () => {
          throw 'oh';
        },
      }),
      `${PART}: vars/0: the HDF5 reader cannot read it ('oh')`,
    ],
  ])('%s', async (_, given, message) => {
    await expect(read(given)).rejects.toMatchObject({ code: 'ERR_FILE', message });
  });

  test('groups that hold each other', async () => {
    const circle: Hdf5Group = { ...group({ a: null, b: null }), get: () => circle };
    const chain: Hdf5Group = { ...group({ a: null }), get: () => chain };
    const open = (root: Hdf5Group, size: number) => found(new Uint8Array(size), () => ({ root }));
    await expect(open(circle, 1000)).rejects.toMatchObject({
      message: `${PART}: its groups are linked in a circle`,
    });
    await expect(open(chain, 1e6)).rejects.toMatchObject({
      message: `${PART}: its groups lie more than 100 deep in each other`,
    });
  });
});
