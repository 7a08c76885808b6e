import { ParseError } from '../../../web-demo/src/parse/dataset.js';
import { formatNpy, isNpy, parseNpy } from '../../../web-demo/src/parse/npy.js';
import { widen } from '../../../web-demo/src/parse/sixteen_bit.js';
import { mutants } from './support/mutants.js';

/** Writes a .npy file as NumPy does: the header padded to a multiple of 64 bytes. */
function npy(header: string, body: Uint8Array, version = 1): ArrayBuffer {
  const start = version === 1 ? 10 : 12;
  const text = new TextEncoder().encode(header);
  const length = Math.ceil((start + text.length + 1) / 64) * 64 - start;
  const bytes = new Uint8Array(start + length + body.length).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  bytes.set(text, start);
  bytes[start + length - 1] = 0x0a;
  bytes.set(body, start + length);
  return bytes.buffer;
}

const headerOf = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

/** Elements written one by one in either byte order. */
function body(values: number[], bytes: number, write: (view: DataView, at: number, value: number) => void) {
  const view = new DataView(new ArrayBuffer(values.length * bytes));
  values.forEach((value, i) => {
    write(view, i * bytes, value);
  });
  return new Uint8Array(view.buffer);
}

const parse = (file: ArrayBuffer) => parseNpy(file, 'test.npy');
const six = [1, 2, 3, 4, 5, 6];
const floats = new Uint8Array(new Float32Array(six).buffer);

describe('what is read', () => {
  const writers = {
    f4: [4, 'setFloat32', Float32Array],
    f8: [8, 'setFloat64', Float64Array],
    i1: [1, 'setInt8', Int8Array],
    u1: [1, 'setUint8', Uint8Array],
    b1: [1, 'setUint8', Uint8Array],
    i2: [2, 'setInt16', Int16Array],
    u2: [2, 'setUint16', Uint16Array],
    i4: [4, 'setInt32', Int32Array],
    u4: [4, 'setUint32', Uint32Array],
    i8: [8, 'setBigInt64', Float64Array],
    u8: [8, 'setBigUint64', Float64Array],
  } as const;
  const cases = Object.entries(writers).flatMap(([code, writer]) =>
    (writer[0] === 1 ? ['|'] : ['<', '>']).map((order) => [order + code, ...writer] as const),
  );

  test.each(cases)('%s', (descr, bytes, method, type) => {
    const littleEndian = !descr.startsWith('>');
    const data = body(six, bytes, (view, at, value) => {
      const write = view[method] as (at: number, value: unknown, littleEndian: boolean) => void;
      write.call(view, at, method.includes('Big') ? BigInt(value) : value, littleEndian);
    });
    const dataset = parse(npy(headerOf(descr, '(2, 3)'), data));
    expect(dataset.data).toBeInstanceOf(type);
    expect([...dataset.data]).toEqual(six);
    expect(dataset.axes.map(({ size }) => size)).toEqual([2, 3]);
  });

  test.each([1, 2, 3])('version %d of the header', (version) => {
    expect([...parse(npy(headerOf('<f4', '(6,)'), floats, version)).data]).toEqual(six);
  });

  test('Fortran order, brought to row-major order', () => {
    // x[i, j, k] = 100 i + 10 j + k
    const values: number[] = [];
    for (const k of [0, 1, 2, 3])
      for (const j of [0, 1, 2]) for (const i of [0, 1]) values.push(100 * i + 10 * j + k);
    const file = npy(headerOf('<f8', '(2, 3, 4)', 'True'), new Uint8Array(new Float64Array(values).buffer));
    const { data, notes } = parse(file);
    expect([...data]).toEqual(
      [0, 100].flatMap((i) => [0, 10, 20].flatMap((j) => [0, 1, 2, 3].map((k) => i + j + k))),
    );
    expect(notes.join()).toMatch('Fortran order');
  });

  test('negative and very large whole numbers of 64 bits', () => {
    const data = new Uint8Array(new BigInt64Array([-5n, 2n ** 53n]).buffer);
    expect([...parse(npy(headerOf('<i8', '(2,)'), data)).data]).toEqual([-5, 2 ** 53]);
  });

  test('sizes as Python 2 wrote them', () => {
    expect(parse(npy(headerOf('<f4', '(2L, 3L)'), floats)).axes.map(({ size }) => size)).toEqual([2, 3]);
  });
});

test.each(['<', '>'])('float16 in byte order %s: the bits, and the numbers that they stand for', (order) => {
  // 1.5, -2, the smallest, the largest, infinity, no number
  const patterns = [0x3e00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x7e00];
  const data = body(patterns, 2, (view, at, value) => view.setUint16(at, value, order === '<'));
  const dataset = parse(npy(headerOf(`${order}f2`, '(2, 3)'), data));
  expect(dataset.bits).toEqual({ dtype: 'float16', array: Uint16Array.from(patterns) });
  expect([...dataset.data]).toEqual([1.5, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY, Number.NaN]);
});

test('float16 in Fortran order', () => {
  const data = new Uint8Array(Uint16Array.of(0x3c00, 0x4400, 0x4000, 0x4500, 0x4200, 0x4600).buffer);
  const { data: numbers, bits } = parse(npy(headerOf('<f2', '(2, 3)', 'True'), data));
  expect([...numbers]).toEqual(six);
  expect([...(bits?.array ?? [])]).toEqual([0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600]);
});

describe('errors', () => {
  test.each([
    ['another format', new TextEncoder().encode('hello').buffer as ArrayBuffer, 'not a .npy file'],
    ['a later version', npy(headerOf('<f4', '(6,)'), floats, 4), 'version 4, expected 1, 2 or 3'],
    ['complex numbers', npy(headerOf('<c8', '(6,)'), new Uint8Array(48)), 'complex numbers (<c8)'],
    ['Python objects', npy(headerOf('|O', '(6,)'), new Uint8Array(48)), 'Python objects (|O)'],
    ['longdouble', npy(headerOf('<f16', '(3,)'), new Uint8Array(48)), 'floats of an unusual size (<f16)'],
    [
      'bfloat16, of which NumPy keeps the bytes only',
      npy(headerOf('<V2', '(6,)'), new Uint8Array(12)),
      'bfloat16',
    ],
    [
      'a type called as what objects have',
      npy(headerOf('<constructor', '(6,)'), floats),
      'elements of another type',
    ],
    ['the same, of the prototype', npy(headerOf('<__proto__', '(6,)'), floats), 'elements of another type'],
    ['a type with an endless name', npy(headerOf(`<f${'4'.repeat(999)}`, '(6,)'), floats), /\(<f4{21}…\)/],
    [
      'sizes that multiply beyond all numbers',
      npy(headerOf('<f4', `(${'9007199254740991, '.repeat(30)})`), floats),
      '∞',
    ],
    ['a negative size', npy(headerOf('<f4', '(-6,)'), floats), 'is (-6,), expected whole numbers'],
    [
      'more than memory has room for',
      npy(headerOf('|i1', '(81_000_000,)'.replaceAll('_', '')), new Uint8Array(81_000_000)),
      '81,000,000 numbers are more than a page can hold: at most 80,000,000.',
    ],
    [
      'an endless header',
      npy(headerOf('<f4', '(6,)').padEnd(70_000), floats, 2),
      'longer than any array of numbers needs',
    ],
    ['text', npy(headerOf('<U5', '(6,)'), new Uint8Array(120)), 'text (<U5)'],
    [
      'records',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", floats),
      'holds records',
    ],
    [
      'a header without shape',
      npy("{'descr': '<f4', 'fortran_order': False}", floats),
      "lacks 'fortran_order' or 'shape'",
    ],
    ['a single number', npy(headerOf('<f4', '()'), floats), 'without dimensions'],
    ['no elements', npy(headerOf('<f4', '(0, 3)'), new Uint8Array()), '(0, 3) has no elements'],
    ['missing elements', npy(headerOf('<f4', '(7,)'), floats), 'cut off: 152 bytes, expected 156'],
    [
      '33 dimensions',
      npy(headerOf('<f4', `(${'1, '.repeat(33)})`), floats),
      '33 dimensions, expected at most 32',
    ],
    ['half a header', npy(headerOf('<f4', '(6,)'), floats).slice(0, 60), 'cut off: 60 bytes'],
    ['half a magic', npy(headerOf('<f4', '(6,)'), floats).slice(0, 8), 'cut off: 8 bytes'],
  ])('%s', (_, file, message) => {
    expect(() => parse(file)).toThrow(ParseError);
    expect(() => parse(file)).toThrow(message);
  });

  test('whatever is changed in a valid file, it is read or refused', () => {
    const values = new Uint8Array(new Float32Array([...six, ...six]).buffer);
    const files = [
      npy(headerOf('<f4', '(3, 4)', 'True'), values),
      npy(headerOf('>f2', '(3, 4)'), values.slice(24)),
      npy(headerOf('<i8', '(3, 2)'), values, 2),
    ];
    const outcomes = mutants(files, 3000).map((file) => {
      try {
        const { data, axes } = parse(file.buffer);
        expect(data.length).toBe(axes.reduce((product, { size }) => product * size, 1));
        return 'read';
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
        return 'refused';
      }
    });
    expect(new Set(outcomes)).toEqual(new Set(['read', 'refused']));
  });
});

test('the first bytes tell', () => {
  expect(isNpy(new Uint8Array(npy(headerOf('<f4', '(6,)'), floats)))).toBe(true);
  expect(isNpy(new Uint8Array([0x93, 0x4e]))).toBe(false);
});

test.each([
  [Float32Array.of(1.5, -2, 3, 4, 5, Number.NaN), [2, 3]],
  [Float64Array.of(Math.PI, 1e300), [2]],
  [Float64Array.of(7), [1, 1, 1]],
])('what is written can be read: %p of shape %j', async (values, shape) => {
  const bytes = await formatNpy(values, shape).arrayBuffer();
  expect((bytes.byteLength - values.byteLength) % 64).toBe(0);
  const { data, axes } = parseNpy(bytes, 'y.npy');
  expect(axes.map(({ size }) => size)).toEqual(shape);
  expect(data).toEqual(values);
});

test('what is written of float16 has its bits, and what of bfloat16 the same numbers as float32', async () => {
  const array = Uint16Array.of(0x3c00, 0xbe00, 0x0001, 0x7bff);
  const written = async (dtype: 'float16' | 'bfloat16') => {
    const bits = { dtype, array };
    return parseNpy(await formatNpy(widen(bits), [2, 2], bits).arrayBuffer(), 'y.npy');
  };
  expect((await written('float16')).bits).toEqual({ dtype: 'float16', array });
  expect(await written('bfloat16')).toMatchObject({ data: widen({ dtype: 'bfloat16', array }) });
  expect((await written('bfloat16')).bits).toBeUndefined();
});
