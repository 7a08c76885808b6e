import { ParseError } from '../../../web-demo/src/parse/dataset.js';
import {
  firstTensor,
  isSafetensors,
  openSafetensors,
  readTensor,
} from '../../../web-demo/src/parse/safetensors.js';
import { mutants } from './support/mutants.js';

const encode = (text: string) => new TextEncoder().encode(text);

/** A file with this header, whatever it is, and these bytes after it. */
function fileOf(
  header: string,
  data: Uint8Array = new Uint8Array(),
  length?: bigint,
): Uint8Array<ArrayBuffer> {
  const text = encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

type Part = readonly [name: string, dtype: string, shape: readonly number[], data: ArrayBufferView];

/** A valid file of these tensors, its header padded with `padding` spaces. */
function safetensors(parts: readonly Part[], padding = 0, metadata?: object): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let end = 0;
  const blocks = parts.map(([name, dtype, shape, { buffer, byteOffset, byteLength }]) => {
    const entry = { dtype, shape, data_offsets: [end, end + byteLength] };
    Object.defineProperty(header, name, { value: entry, enumerable: true });
    end += byteLength;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  const data = Uint8Array.from(blocks.flatMap((block) => [...block]));
  return fileOf(JSON.stringify(header) + ' '.repeat(padding), data);
}

const open = (bytes: Uint8Array<ArrayBuffer>) => openSafetensors(new Blob([bytes]), 'test.safetensors');
const six = [1, 2, 3, 4, 5, 6];
const floats = Float32Array.from(six);

describe('what is read', () => {
  test.each([
    ['F64', Float64Array],
    ['F32', Float32Array],
    ['I8', Int8Array],
    ['U8', Uint8Array],
    ['BOOL', Uint8Array],
    ['I16', Int16Array],
    ['U16', Uint16Array],
    ['I32', Int32Array],
    ['U32', Uint32Array],
  ])('%s, at an odd address', async (dtype, type) => {
    const first = ['odd', 'U8', [3], Uint8Array.of(7, 8, 9)] as const;
    const file = await open(safetensors([first, ['x', dtype, [2, 3], type.from(six)]], 1));
    const { data, axes, name, kind } = await readTensor(file, 1);
    expect(data).toEqual(type.from(six));
    expect(axes).toEqual([{ size: 2 }, { size: 3 }]);
    expect([name, kind]).toEqual(['test.safetensors', 'safetensors']);
    expect([...(await readTensor(file, 0)).data]).toEqual([7, 8, 9]);
  });

  test.each([
    ['F16', 'float16', [0x3c00, 0xc100], [1, -2.5]],
    ['BF16', 'bfloat16', [0x3f80, 0xc020], [1, -2.5]],
  ] as const)('%s as its bits and as numbers', async (dtype, name, bits, numbers) => {
    const file = await open(safetensors([['x', dtype, [2], Uint16Array.from(bits)]]));
    const dataset = await readTensor(file, 0);
    expect(dataset.bits).toEqual({ dtype: name, array: Uint16Array.from(bits) });
    expect(dataset.data).toEqual(Float32Array.from(numbers));
  });

  test('whole numbers of 64 bits, as in .npy files', async () => {
    const file = await open(safetensors([['x', 'I64', [2], BigInt64Array.of(-5n, 2n ** 53n)]]));
    const { data, notes } = await readTensor(file, 0);
    expect(data).toEqual(Float64Array.of(-5, 2 ** 53));
    expect(notes.join()).toMatch('exact up to 2⁵³');
  });

  test('tensors come in the order of their bytes, with what others say about the file left out', async () => {
    const header = {
      later: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
      __metadata__: { format: 'pt' },
      sooner: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    };
    const { tensors } = await open(fileOf(JSON.stringify(header), new Uint8Array(12)));
    expect(tensors.map(({ name }) => name)).toEqual(['sooner', 'later']);
  });

  test('only the header and the tensor that is asked for', async () => {
    const bytes = safetensors([
      ['a', 'F32', [1000], new Float32Array(1000)],
      ['b', 'F32', [2, 3], floats],
      ['c', 'F32', [1000], new Float32Array(1000)],
    ]);
    const read: [number, number][] = [];
    class Watched extends Blob {
      override slice(from: number, to: number): Blob {
        read.push([from, to]);
        return super.slice(from, to);
      }
    }
    const file = await openSafetensors(new Watched([bytes]), 'x');
    await readTensor(file, 1);
    expect(read.reduce((total, [from, to]) => total + to - from, 0)).toBe(bytes.length - 8000);
  });

  test('names that objects have are names', async () => {
    const names = ['__proto__', 'constructor', 'toString', ''];
    const { tensors } = await open(safetensors(names.map((name) => [name, 'F32', [6], floats])));
    expect(tensors.map(({ name }) => name)).toEqual(names);
  });
});

test.each([
  [
    'the first of floats',
    [
      ['i', 'I32', [6], Int32Array.from(six)],
      ['f', 'F32', [6], floats],
    ],
    1,
  ],
  [
    'not a single number',
    [
      ['s', 'F32', [], floats.subarray(0, 1)],
      ['f', 'BF16', [6], new Uint16Array(6)],
    ],
    1,
  ],
  [
    'not an empty one',
    [
      ['e', 'F32', [0, 4], floats.subarray(0, 0)],
      ['f', 'F32', [6], floats],
    ],
    1,
  ],
  [
    'not one that cannot be read',
    [
      ['q', 'F8_E4M3', [6], Uint8Array.from(six)],
      ['f', 'F32', [6], floats],
    ],
    1,
  ],
  [
    'whole numbers where there is nothing else',
    [
      ['s', 'F32', [], floats.subarray(0, 1)],
      ['i', 'U8', [6], Uint8Array.from(six)],
    ],
    1,
  ],
  [
    'the first where none can be read, so that one learns why',
    [['q', 'F8_E4M3', [6], Uint8Array.from(six)]],
    0,
  ],
] satisfies [string, Part[], number][])('opened first: %s', async (_, parts, index) => {
  expect(firstTensor(await open(safetensors(parts as Part[])))).toBe(index);
});

describe('errors', () => {
  const one = (entry: unknown) => fileOf(JSON.stringify({ x: entry }), new Uint8Array(24));
  const valid = { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] };

  test.each([
    ['nothing', new Uint8Array(), 'it has 0 bytes'],
    ['half a length', new Uint8Array(5), 'it has 5 bytes, and the length of its header takes 8'],
    ['a length of 2^60', fileOf('{}', undefined, 2n ** 60n), 'says that its header has 1.2e+18 bytes'],
    ['the longest length', fileOf('{}', undefined, 2n ** 64n - 1n), 'at most 100,000,000 are allowed'],
    ['a header that is cut off', one(valid).slice(0, 30), 'the file ends before. Is it cut off?'],
    ['no header', fileOf(''), 'does not start with {'],
    ['a list', fileOf('[{"dtype": "F32"}]'), 'does not start with {'],
    ['a number', fileOf('7'), 'does not start with {'],
    ['no JSON', fileOf('{"x": '), 'its header is not JSON'],
    ['nesting without end', fileOf('{"a":'.repeat(100_000)), 'its header is not JSON'],
    ['no UTF-8', fileOf('{"x": 1}').map((byte) => (byte === 0x78 ? 0xff : byte)), 'its header is not JSON'],
    ['no tensors', fileOf('{"__metadata__": {"a": "b"}}'), 'holds no tensors'],
    ['a tensor that is a list', one([1]), 'tensor “x” is not described by an object'],
    ['a tensor that is nothing', one(null), 'tensor “x” is not described by an object'],
    ['no dtype', one({ ...valid, dtype: undefined }), 'tensor “x” has no dtype'],
    ['an unknown dtype', one({ ...valid, dtype: 'F31' }), 'dtype “F31”, which is unknown'],
    [
      'a dtype that objects have',
      one({ ...valid, dtype: 'constructor' }),
      'dtype “constructor”, which is unknown',
    ],
    ['a dtype without end', one({ ...valid, dtype: 'F'.repeat(500) }), `“${'F'.repeat(23)}…”`],
    ['no shape', one({ ...valid, shape: undefined }), 'no shape of whole numbers'],
    ['a shape of halves', one({ ...valid, shape: [1.5, 4] }), 'no shape of whole numbers'],
    ['a negative shape', one({ ...valid, shape: [-2, -3] }), 'no shape of whole numbers'],
    ['a shape of text', one({ ...valid, shape: ['2', '3'] }), 'no shape of whole numbers'],
    [
      'a shape beyond counting',
      one({ ...valid, shape: [2 ** 40, 2 ** 40] }),
      'more elements than can be counted',
    ],
    [
      'a shape that wraps around to 6',
      one({ ...valid, shape: [2 ** 32, 2 ** 32, 6] }),
      'more elements than can',
    ],
    ['another shape', one({ ...valid, shape: [2, 4] }), 'has 24 bytes, and F32 of shape [2, 4] takes 32'],
    ['no offsets', one({ ...valid, data_offsets: undefined }), 'no data_offsets of two whole numbers'],
    ['three offsets', one({ ...valid, data_offsets: [0, 24, 24] }), 'no data_offsets of two whole numbers'],
    ['negative offsets', one({ ...valid, data_offsets: [-24, 0] }), 'no data_offsets of two whole numbers'],
    [
      'offsets that go backwards',
      one({ ...valid, data_offsets: [24, 0] }),
      'starts at byte 24 of the data and ends at 0',
    ],
    [
      'offsets beyond the file',
      one({ ...valid, data_offsets: [0, 24] }).slice(0, -4),
      'ends 4 bytes after the file',
    ],
    ['bytes before', one({ dtype: 'F32', shape: [5], data_offsets: [4, 24] }), 'bytes that belong to none'],
    [
      'bytes behind',
      one({ dtype: 'F32', shape: [5], data_offsets: [0, 20] }),
      'last 4 bytes belong to no tensor',
    ],
    [
      'tensors that overlap',
      fileOf(
        JSON.stringify({ a: valid, b: { dtype: 'F32', shape: [2], data_offsets: [20, 28] } }),
        new Uint8Array(28),
      ),
      'tensor “b” overlaps with the one before',
    ],
    ['the name of a prototype', fileOf('{"__proto__": 5}'), 'tensor “__proto__” is not described'],
  ])('%s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(ParseError);
    await expect(open(bytes)).rejects.toThrow(message);
  });

  test.each([
    ['F8_E4M3', [6], 'floats of 8 bits (F8_E4M3), which mean little without their scales. Save it as BF16'],
    ['F8_E5M2', [6], 'tensor.to(torch.bfloat16)'],
    ['C64', [6], 'complex numbers (C64). Save their real part'],
    ['F32', [], 'holds a single number, without dimensions'],
    ['F32', [3, 0], 'of shape (3, 0) has no elements'],
    ['F32', new Array(33).fill(1), 'has 33 dimensions, expected at most 32'],
  ])('a tensor of %s, shape %j, cannot be opened', async (dtype, shape, message) => {
    const size = { F: dtype === 'F32' ? 4 : 1, C: 8 }[dtype[0] as 'F'] * shape.reduce((a, b) => a * b, 1);
    const file = await open(safetensors([['x', dtype, shape, new Uint8Array(size)]]));
    const read = readTensor(file, firstTensor(file));
    await expect(read).rejects.toThrow(ParseError);
    await expect(read).rejects.toThrow(message);
  });

  test('a tensor that is larger than memory has room for, whose bytes are not even asked for', async () => {
    const header = JSON.stringify({ x: { dtype: 'F16', shape: [1e5, 1e3], data_offsets: [0, 2e8] } });
    const start = fileOf(header);
    const file = {
      size: start.length + 2e8,
      slice: (from: number, to: number) => {
        if (to > start.length) throw new Error('The tensor has been read.');
        return new Blob([start.subarray(from, to)]);
      },
    } as Blob;
    const opened = await openSafetensors(file, 'x');
    await expect(readTensor(opened, 0)).rejects.toThrow('100,000,000 numbers are more than a page can hold');
  });

  test('a tensor that there is not', async () => {
    const file = await open(safetensors([['x', 'F32', [6], floats]]));
    for (const index of [1, -1, 0.5]) await expect(readTensor(file, index)).rejects.toThrow(ParseError);
  });

  test('whatever is changed in a valid file, it is read or refused', async () => {
    const files = [
      safetensors([
        ['a', 'F32', [2, 3], floats],
        ['b', 'BF16', [4], new Uint16Array(4)],
      ]).buffer,
      safetensors([['w', 'I8', [2, 2], Int8Array.of(1, 2, 3, 4)]], 3, { format: 'pt' }).buffer,
    ];
    let [read, refused] = [0, 0];
    for (const bytes of mutants(files, 3000)) {
      try {
        const file = await open(bytes);
        const { data, axes } = await readTensor(file, firstTensor(file));
        expect(data.length).toBe(axes.reduce((product, { size }) => product * size, 1));
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
        refused++;
      }
    }
    expect(read).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(50);
  });
});

test('the first bytes tell, as far as they can', () => {
  const bytes = safetensors([['x', 'F32', [6], floats]]);
  expect(isSafetensors(bytes, bytes.length)).toBe(true);
  expect(isSafetensors(bytes, 20)).toBe(false);
  expect(isSafetensors(encode('12345678{"a": 1}'), 16)).toBe(false);
  expect(isSafetensors(encode('a,b\n1,2\n'), 8)).toBe(false);
});
