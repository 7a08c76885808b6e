import { LayerNormError, layerNorm } from 'layernorm';
import type { FileDType } from '../../../js/src/io/dtypes.js';
import {
  isNpy,
  npyHeader,
  npyHeaderBytes,
  readNpy,
  readNpyHeader,
  readNpyPart,
  writeNpy,
} from '../../../js/src/io/npy.js';
import { expectError } from '../support/errors.js';
import { numpyArrays } from '../support/numpy_files.js';

const FILES = numpyArrays();
const fileOf = (name: string): Uint8Array => (FILES[name] as Uint8Array).slice();

/** A file with this text as its header. */
function npy(header: string, body = new Uint8Array(24), version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12;
  const bytes = new Uint8Array(start + header.length + body.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), start);
  bytes.set(body, start + header.length);
  return bytes;
}

const headerOf = (descr: string, shape = '(2, 3)', order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** What tests/golden/numpy/make.py stored. */
const FLOATS = [1.5, -2, 3, 0.25, 100, -7];
const INTEGERS = [1, -2, 3, 0, 100, -7];
const UNSIGNED = [1, 2, 3, 0, 100, 7];
const ARRAYS: [
  code: string,
  dtype: FileDType,
  data: readonly number[],
  type: new (n: number[]) => unknown,
][] = [
  ['f4', 'float32', FLOATS, Float32Array],
  ['f8', 'float64', FLOATS, Float64Array],
  ['f2', 'float16', [0x3e00, 0xc000, 0x4200, 0x3400, 0x5640, 0xc700], Uint16Array],
  ['i1', 'int8', INTEGERS, Int8Array],
  ['i2', 'int16', INTEGERS, Int16Array],
  ['i4', 'int32', INTEGERS, Int32Array],
  ['i8', 'int64', INTEGERS, Float64Array],
  ['u1', 'uint8', UNSIGNED, Uint8Array],
  ['u2', 'uint16', UNSIGNED, Uint16Array],
  ['u4', 'uint32', UNSIGNED, Uint32Array],
  ['u8', 'uint64', UNSIGNED, Float64Array],
  ['b1', 'bool', [1, 1, 1, 1, 1, 1], Uint8Array],
];

describe('files of NumPy', () => {
  test.each(ARRAYS)('%s in both byte orders', (code, dtype, numbers, Type) => {
    const expected = { data: new Type([...numbers]), shape: [2, 3], dtype };
    expect(readNpy(fileOf(`${code}.npy`))).toEqual(expected);
    const big = FILES[`${code}_big.npy`];
    expect(big === undefined).toBe(/1$/.test(code));
    if (!big) return;
    expect(readNpyHeader(big).littleEndian).toBe(false);
    expect(readNpy(big)).toEqual(expected);
  });

  test.each(ARRAYS)(
    '%s is written byte for byte as NumPy does, and what is read is written again',
    (code, dtype, numbers, Type) => {
      const file = fileOf(`${code}.npy`);
      const data = new Type([...numbers]) as Float32Array;
      expect(writeNpy({ data, shape: [2, 3], dtype })).toEqual(file);
      expect(writeNpy(data, { shape: [2, 3], dtype })).toEqual(file);
      expect(writeNpy(readNpy(file))).toEqual(file);
      expect(npyHeader({ dtype, shape: [2, 3] })).toEqual(file.subarray(0, 128));
    },
  );

  test('versions 2 and 3 of the header', () => {
    for (const name of ['version2.npy', 'version3.npy']) {
      expect([...readNpy(fileOf(name)).data]).toEqual(FLOATS);
      expect(npyHeaderBytes(fileOf(name).subarray(0, 12))).toBe(128);
    }
  });

  test('Fortran order comes row-major', () => {
    const count = Array.from({ length: 24 }, (_, i) => i);
    for (const name of ['fortran.npy', 'fortran_big.npy']) {
      const { data, shape } = readNpy(fileOf(name));
      expect([[...data], shape]).toEqual([count, [2, 3, 4]]);
      expect(readNpyHeader(fileOf(name)).fortranOrder).toBe(true);
    }
  });

  test('a single number, and none', () => {
    expect(readNpy(fileOf('scalar.npy'))).toEqual({
      data: Float64Array.of(2.5),
      shape: [],
      dtype: 'float64',
    });
    expect(readNpy(fileOf('empty.npy'))).toEqual({
      data: new Float32Array(0),
      shape: [0, 3],
      dtype: 'float32',
    });
    for (const name of ['scalar.npy', 'empty.npy'])
      expect(writeNpy(readNpy(fileOf(name)))).toEqual(fileOf(name));
    expect(writeNpy(Float64Array.of(2.5), { shape: [] })).toEqual(fileOf('scalar.npy'));
  });

  test.each([
    ['complex.npy', "the .npy file: it holds complex numbers ('<c8'), expected floats, integers or booleans"],
    ['objects.npy', "the .npy file: it holds Python objects ('|O'), expected floats, integers or booleans"],
    ['text.npy', "the .npy file: it holds text ('<U2'), expected floats, integers or booleans"],
    ['records.npy', 'the .npy file: it holds records, expected plain numbers: save one field'],
  ])('%s is refused', (name, message) => {
    expectError(() => readNpy(fileOf(name)), 'ERR_FILE', message);
  });
});

test('a view of the file where it is aligned, else a copy', () => {
  const file = fileOf('f4.npy');
  const { data } = readNpy(file);
  expect([data.buffer, data.byteOffset]).toEqual([file.buffer, 128]);
  const shifted = new Uint8Array(file.length + 2);
  shifted.set(file, 2);
  const copy = readNpy(shifted.subarray(2)).data;
  expect(copy).toEqual(data);
  expect(copy.buffer).not.toBe(shifted.buffer);
  expect(readNpy(file.buffer as ArrayBuffer).data).toEqual(data);
});

test('what is read goes into the operations as it is', () => {
  const x = Float32Array.from(FLOATS);
  for (const name of ['f4.npy', 'f4_big.npy']) {
    const y = layerNorm(readNpy(fileOf(name)), {});
    expect(y).toEqual({ data: layerNorm(x, { shape: [2, 3] }), shape: [2, 3], dtype: 'float32' });
  }
  expect(layerNorm(readNpy(fileOf('i8.npy')), {}).data).toBeInstanceOf(Float64Array);
});

test('the beginning of a file is enough for its header', () => {
  const file = fileOf('i4.npy');
  expect(npyHeaderBytes(file.subarray(0, 12))).toBe(128);
  expect(readNpyHeader(file.subarray(0, 128))).toEqual({
    ...{ dtype: 'int32', shape: [2, 3], fortranOrder: false, littleEndian: true },
    ...{ dataOffset: 128, dataBytes: 24 },
  });
  expect(readNpyHeader(file.subarray(0, 128), 152).dataBytes).toBe(24);
  expectError(
    () => readNpyHeader(file.subarray(0, 100)),
    'ERR_FILE',
    'the .npy file: it is cut off: 100 bytes came, its header takes 128',
  );
  expectError(
    () => readNpyHeader(file.subarray(0, 128), 151),
    'ERR_FILE',
    /takes 24 bytes, and 23 follow the header: it is cut off$/,
  );
  expectError(
    () => readNpyHeader(file.subarray(0, 128), 153),
    'ERR_FILE',
    'the .npy file: int32 of shape [2, 3] takes 24 bytes, and 25 follow the header: expected one array in a file',
  );
});

test('forms of the header that other programs write', () => {
  for (const header of [
    `{"shape":(2,3),"descr":"<f4","fortran_order":False}`,
    headerOf('<f4', '(2L, 3L)'),
    headerOf('=f4'),
    `${headerOf('f4')}   \n`,
  ]) {
    expect(readNpyHeader(npy(header))).toMatchObject({ dtype: 'float32', shape: [2, 3] });
  }
  expect(readNpyHeader(npy(headerOf('<f4', '(6,)'), undefined, 2)).shape).toEqual([6]);
});

describe('errors', () => {
  test.each<[string, Uint8Array, string | RegExp]>([
    ['nothing', new Uint8Array(), 'it is cut off: 0 bytes came, its header takes 12'],
    ['half a magic', fileOf('f4.npy').subarray(0, 4), 'it is cut off: 4 bytes came, its header takes 12'],
    ['another format', new TextEncoder().encode('PK, or so it seems'), 'it does not begin with \\x93NUMPY'],
    ['a later version', npy(headerOf('<f4'), undefined, 4), 'its version is 4, expected 1, 2 or 3'],
    [
      'a header of 4 GB',
      npy('', undefined, 2).fill(0xff, 8, 12),
      'its header has 4294967295 bytes, expected at most 65535, enough for any array',
    ],
    [
      'code',
      npy(headerOf('<f4', '(__import__("os").system("id"),)')),
      /the header: character \d+ begins '__import__.+ expected an integer/,
    ],
    ['an expression', npy(headerOf('<f4', '(2+4,)')), /begins '\+4,\).+ expected "," or "\)"/],
    ['more after the dictionary', npy(`${headerOf('<f4')} + 1`), /begins '\+ 1', expected its end/],
    [
      'a key too many',
      npy(`{'x': 1, ${headerOf('<f4').slice(1)}`),
      "its header has a key 'x', expected 'descr', 'fortran_order' and 'shape', each once",
    ],
    [
      'a key twice',
      npy(`{'shape': (), ${headerOf('<f4').slice(1)}`),
      /^the .npy file: its header has a key 'shape'/,
    ],
    [
      'a key that is missing',
      npy(`{'descr': '<f4', 'shape': (6,)}`),
      "its header lacks a key, expected 'descr', 'fortran_order' and 'shape'",
    ],
    ['no dictionary', npy('[]'), /begins '\[\]', expected "\{"/],
    ['neither True nor False', npy(headerOf('<f4', '(6,)', '0')), /expected True or False/],
    ['a number for a tuple', npy(headerOf('<f4', '(6)')), 'its shape is (6), expected a tuple: (6,)'],
    ['a negative size', npy(headerOf('<f4', '(-6,)')), /begins '-6,\)/],
    [
      'sizes beyond counting',
      npy(headerOf('<f4', '(4294967296, 4294967296)')),
      /has too many elements to count$/,
    ],
    [
      '65 dimensions',
      npy(headerOf('<f4', `(${'1, '.repeat(65)})`)),
      'its shape has 65 dimensions, expected at most 64',
    ],
    ['bfloat16', npy(headerOf('<V2')), /raw bytes, which bfloat16 is to NumPy, too/],
    ['longdouble', npy(headerOf('<f16')), /floats of an unusual size/],
    ['the name of a prototype', npy(headerOf('__proto__')), /elements of another type/],
    [
      'too few elements',
      npy(headerOf('<f4'), new Uint8Array(20)),
      /and 20 follow the header: it is cut off$/,
    ],
    [
      'too many',
      npy(headerOf('<f4'), new Uint8Array(28)),
      /and 28 follow the header: expected one array in a file$/,
    ],
    [
      'a boolean of 7',
      npy(headerOf('|b1', '(24,)'), new Uint8Array(24).fill(7)),
      'element 0, of bool, is 7, expected 0 or 1',
    ],
    [
      'an integer beyond 2^53',
      npy(headerOf('<i8', '(3,)'), new Uint8Array(24).fill(0x7f)),
      /^the .npy file: element 0, of int64, is about 9187201950435738000, expected at most 2\^53 - 1/,
    ],
    [
      'one below',
      npy(headerOf('<i8', '(3,)'), new Uint8Array(24).fill(0x80)),
      /is about -9187201950435738000/,
    ],
  ])('%s', (_, bytes, message) => {
    expectError(
      () => readNpy(bytes),
      'ERR_FILE',
      typeof message === 'string' ? `the .npy file: ${message}` : message,
    );
  });

  test('a part of an archive is named', () => {
    expectError(
      () => readNpyPart("'gamma.npy'", new Uint8Array(20)),
      'ERR_FILE',
      /^'gamma.npy': it does not begin/,
    );
  });

  test('what is no file', () => {
    expectError(
      () => readNpy('x' as never),
      'ERR_ARGUMENT',
      "readNpy: bytes is 'x', expected the bytes of a file: a Uint8Array or an ArrayBuffer",
    );
  });

  test('arrays that cannot be written', () => {
    expectError(
      () => npyHeader({ dtype: 'bfloat16', shape: [2] }),
      'ERR_DTYPE',
      "npyHeader: dtype is 'bfloat16', which NumPy has not, expected float32, which holds the same numbers",
    );
    expectError(
      () => npyHeader({ dtype: 'f4' as never, shape: [2] }),
      'ERR_DTYPE',
      /^npyHeader: the dtype of the array is 'f4'/,
    );
    expectError(
      () => npyHeader({ dtype: 'float32', shape: [-2] }),
      'ERR_SHAPE',
      /^npyHeader: the shape of the array is \[-2\]/,
    );
    const bits = { data: Uint16Array.of(1), shape: [1], dtype: 'bfloat16' };
    expectError(
      () => writeNpy(bits, { dtype: 'bfloat16' }),
      'ERR_DTYPE',
      /^writeNpy: dtype is 'bfloat16', which NumPy has not/,
    );
    expectError(
      () => writeNpy(Float32Array.of(1), { dype: 'float32' } as never),
      'ERR_ARGUMENT',
      "writeNpy: unknown option 'dype', expected shape, dtype",
    );
  });
});

test('bfloat16 is written as float32, which holds the same numbers', () => {
  const bits = { data: Uint16Array.of(0x3fc0, 0xc000, 0x7f80), shape: [3], dtype: 'bfloat16' };
  const expected = { data: Float32Array.of(1.5, -2, Number.POSITIVE_INFINITY), shape: [3], dtype: 'float32' };
  expect(readNpy(writeNpy(bits))).toEqual(expected);
});

test('the first bytes tell', () => {
  expect([isNpy(fileOf('f4.npy')), isNpy(new Uint8Array([0x93, 0x4e])), isNpy(new Uint8Array(20))]).toEqual([
    true,
    false,
    false,
  ]);
  expect(() => npyHeaderBytes(new Uint8Array(2))).toThrow(LayerNormError);
});
