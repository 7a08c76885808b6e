import { readdirSync } from 'node:fs';
import * as h5wasm from 'h5wasm/node';
import * as jsfive from 'jsfive';
import {
  asking,
  countOf,
  type Hdf5Dataset,
  type Hdf5File,
  type Hdf5Group,
  openHdf5,
} from '../../../js/src/keras/hdf5.js';
import { expectError } from '../support/errors.js';
import {
  float32,
  floatType,
  type Hdf5Marks,
  type Hdf5Tree,
  integerType,
  opaqueType,
  textType,
  writeHdf5,
} from '../support/hdf5_writer.js';
import { expectRejection, modelFile } from '../support/keras_files.js';

const READERS = [
  ['jsfive', jsfive],
  ['h5wasm', h5wasm],
] as const;

const TREE: Hdf5Tree = {
  groups: { layers: { groups: { norm: { attributes: { name: 'my norm' } } } } },
  arrays: {
    singles: { ...float32([2, 3], [1, 2, 3, -4, 0.5, Number.NaN]), attributes: { dtype: 'float32' } },
    doubles: { shape: [2], type: floatType(8), bytes: new Uint8Array(Float64Array.of(0.1, -2).buffer) },
    integers: {
      shape: [2],
      type: integerType(8, true),
      bytes: new Uint8Array(BigInt64Array.of(-5n, 7n).buffer),
    },
    small: {
      shape: [3],
      type: integerType(2, false),
      bytes: new Uint8Array(Uint16Array.of(1, 2, 65535).buffer),
    },
    opaque: { shape: [2], type: opaqueType(2), bytes: Uint8Array.of(0x80, 0x3f, 0, 0x40) },
    scalar: float32([], [3]),
  },
};

const files: Hdf5File[] = [];
afterEach(() => {
  for (const file of files.splice(0)) file.close?.();
  // h5wasm under Node has its files here.
  expect(readdirSync('.').filter((name) => name.endsWith('.h5'))).toEqual([]);
});

async function opened(bytes: Uint8Array, hdf5: unknown): Promise<Hdf5Group> {
  const file = await openHdf5('the file', bytes, hdf5);
  files.push(file);
  return file.root;
}

/** Either, as the test knows which. */
type Found = Omit<Hdf5Group, 'kind'> & Omit<Hdf5Dataset, 'kind'> & { kind: string };

function at(group: Pick<Hdf5Group, 'get'>, ...path: string[]): Found {
  return path.reduce((found, key) => found.get(key) as Hdf5Group, group as Hdf5Group) as unknown as Found;
}

describe.each(READERS)('%s', (_, hdf5) => {
  test('groups, arrays of all types, attributes', async () => {
    const root = await opened(writeHdf5(TREE), hdf5);
    expect(root.kind).toBe('group');
    expect([...root.keys].sort()).toEqual([
      'doubles',
      'integers',
      'layers',
      'opaque',
      'scalar',
      'singles',
      'small',
    ]);
    expect(at(root, 'layers', 'norm').attribute('name')).toBe('my norm');
    expect(at(root, 'layers', 'norm').attribute('constructor')).toBeUndefined();
    expect(at(root, 'singles').attribute('dtype')).toBe('float32');
    const arrays = ['singles', 'doubles', 'integers', 'small', 'opaque', 'scalar'].map((name) => {
      const { dtype, shape, kind } = at(root, name);
      return [kind, dtype, [...shape], Array.from(at(root, name).read(), Number)];
    });
    expect(arrays).toEqual([
      ['dataset', 'float32', [2, 3], [1, 2, 3, -4, 0.5, Number.NaN]],
      ['dataset', 'float64', [2], [0.1, -2]],
      ['dataset', 'int64', [2], [-5, 7]],
      ['dataset', 'uint16', [3], [1, 2, 65535]],
      ['dataset', 'opaque2', [2], [0x80, 0x3f, 0, 0x40]],
      ['dataset', 'float32', [], [3]],
    ]);
  });

  test('what Keras wrote, with names of variable length', async () => {
    const root = await opened(modelFile('seed_functional.weights.h5'), hdf5);
    const vars = at(root, 'layers', 'layer_normalization', 'vars');
    expect(vars.attribute('name')).toBe('layer_normalization_21');
    expect([...vars.keys].sort()).toEqual(['0', '1']);
    expect(at(vars, '0').dtype).toBe('float32');
    expect([...at(vars, '0').shape]).toEqual([64]);
  });

  test('it does not open what is no HDF5', async () => {
    await expectRejection(
      openHdf5('model.weights.h5', new Uint8Array(1000).fill(7), hdf5),
      'ERR_FILE',
      /^model\.weights\.h5: the HDF5 reader cannot read it \('.+'\)$/,
    );
  });
});

test('float16 with jsfive', async () => {
  const half = {
    shape: [2],
    type: floatType(2),
    bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc100).buffer),
  };
  const root = await opened(writeHdf5({ arrays: { half } }), jsfive);
  expect(at(root, 'half').dtype).toBe('float16');
  expect(Array.from(at(root, 'half').read())).toEqual([1, -2.5]);
});

test('a reader of your own, and namespaces in `default`', async () => {
  const root: Hdf5Group = { kind: 'group', keys: [], get: () => null, attribute: () => undefined };
  const given = async (bytes: Uint8Array) => ({ root, bytes });
  expect(await openHdf5('x', Uint8Array.of(1), given)).toEqual({ root, bytes: Uint8Array.of(1) });
  expect((await opened(writeHdf5(TREE), { default: jsfive })).keys).toContain('singles');
});

test('anything else is no reader', async () => {
  for (const hdf5 of [undefined, null, 7, {}, { File: class {} }]) {
    await expectRejection(
      openHdf5('x', new Uint8Array(0), hdf5),
      'ERR_ARGUMENT',
      /^loadKeras: hdf5 is .+, expected a reader of HDF5: import \* as hdf5 from 'jsfive', import \* as hdf5 from 'h5wasm', or a/,
    );
  }
});

describe('jsfive goes in circles in files that are made for it, and is stopped', () => {
  test('trees whose nodes hold the same node again and again', async () => {
    // 20 levels of 30 children each, all the same: 30^20 nodes.
    const marks: Hdf5Marks = new Map();
    const file = writeHdf5({ groups: { a: {} } }, marks);
    const bytes = new Uint8Array(file.length + 21 * 600);
    bytes.set(file);
    const view = new DataView(bytes.buffer);
    const root = marks.get(': tree') as number;
    const nodes = [root, ...Array.from({ length: 20 }, (_, i) => file.length + i * 600)];
    nodes.forEach((node, i) => {
      const [child, level] = [nodes[i + 1], 20 - i];
      if (child === undefined) return;
      bytes.set([0x54, 0x52, 0x45, 0x45, 0, level], node);
      view.setUint16(node + 6, 30, true);
      for (let k = 0; k < 30; ++k) view.setBigUint64(node + 32 + 16 * k, BigInt(child), true);
    });
    await expectRejection(
      openHdf5('model.weights.h5', bytes, jsfive),
      'ERR_FILE',
      'model.weights.h5: its groups are linked in a way that has no end',
    );
  });

  test('billions of texts without a length', async () => {
    const file = (shape: number[]) =>
      writeHdf5({ arrays: { texts: { shape, type: textType(0), bytes: new Uint8Array(8) } } });
    const root = await opened(file([4_000_000_000]), jsfive);
    expectError(
      () => at(root, 'texts').read(),
      'ERR_FILE',
      'the file: its groups are linked in a way that has no end',
    );
  });
});

test('what a reader throws names the part', () => {
  expect(asking('part', () => 7)).toBe(7);
  const broken = (): never => {
    throw 'a text\u001b[31m';
  };
  expectError(
    () => asking('part', broken),
    'ERR_FILE',
    "part: the HDF5 reader cannot read it ('a text\\u001b[31m')",
  );
});

test('counts', () => {
  expect([countOf([]), countOf([2, 3]), countOf([4, 0])]).toEqual([1, 6, 0]);
});
