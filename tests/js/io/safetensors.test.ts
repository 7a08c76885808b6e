import { layerNorm } from 'layernorm';
import {
  readSafetensors,
  readSafetensorsHeader,
  safetensorsHeader,
  safetensorsHeaderBytes,
  writeSafetensors,
} from '../../../js/src/io/safetensors.js';
import { expectError } from '../support/errors.js';

/** A file with this header, whatever it is, and these bytes after it. */
function fileOf(header: string, data = 24, length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const TYPES = [
  ['F64', 'float64', Float64Array.of(1.5, -2)],
  ['F32', 'float32', Float32Array.of(1.5, -2)],
  ['F16', 'float16', Uint16Array.of(0x3e00, 0xc000)],
  ['BF16', 'bfloat16', Uint16Array.of(0x3fc0, 0xc000)],
  ['I64', 'int64', Float64Array.of(-5, 2 ** 53 - 1)],
  ['U64', 'uint64', Float64Array.of(5, 2 ** 53 - 1)],
  ['I32', 'int32', Int32Array.of(-5, 7)],
  ['U32', 'uint32', Uint32Array.of(5, 2 ** 32 - 1)],
  ['I16', 'int16', Int16Array.of(-5, 7)],
  ['U16', 'uint16', Uint16Array.of(5, 65535)],
  ['I8', 'int8', Int8Array.of(-5, 7)],
  ['U8', 'uint8', Uint8Array.of(5, 7)],
  ['BOOL', 'bool', Uint8Array.of(0, 1)],
] as const;

describe('what is written is read', () => {
  const tensors = Object.fromEntries(
    TYPES.map(([name, dtype, data]) => [name, { data, shape: [2, 1], dtype }]),
  );
  const bytes = writeSafetensors(tensors, { metadata: { format: 'pt' } });
  const file = readSafetensors(bytes);

  test.each(TYPES)('%s', (name, dtype, data) => {
    expect(file.get(name)).toEqual({ data, shape: [2, 1], dtype });
    expect(file.tensors.get(name)).toMatchObject({ dtype, storedDType: name, shape: [2, 1] });
    // All lie aligned: views but for those that float64 stands for.
    expect(file.get(name).data.buffer === bytes.buffer).toBe(!/64/.test(name) || name === 'F64');
  });

  test('header, names and notes', () => {
    expect([...file.metadata]).toEqual([['format', 'pt']]);
    expect(file.names.slice(0, 4)).toEqual(['F64', 'I64', 'U64', 'F32']);
    expect([file.dataOffset % 8, file.fileBytes]).toEqual([0, bytes.length]);
  });

  test('a map, no tensors, names that objects have, and a single number', () => {
    const names = ['__proto__', 'constructor', '1', '', 'ä"\\\n'];
    const map = new Map(names.map((name, i) => [name, Float32Array.of(i)]));
    const read = readSafetensors(writeSafetensors(map));
    expect(read.names).toEqual(names);
    expect(names.map((name) => read.get(name).data[0])).toEqual([0, 1, 2, 3, 4]);
    expect(readSafetensors(writeSafetensors({})).names).toEqual([]);
    const one = writeSafetensors({ x: { data: Float32Array.of(7), shape: [] } });
    expect(readSafetensors(one).get('x')).toEqual({ data: Float32Array.of(7), shape: [], dtype: 'float32' });
  });

  test('the header is that of the reference implementation', () => {
    const header = safetensorsHeader(
      [
        { name: 'b', dtype: 'float32', shape: [2, 3] },
        { name: '1', dtype: 'bfloat16', shape: [] },
      ],
      { format: 'pt' },
    );
    const text =
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},' +
      '"1":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}}';
    expect(new TextDecoder().decode(header.subarray(8)).trimEnd()).toBe(text);
    expect(header.length % 8).toBe(0);
  });
});

test('gamma and beta of a file', () => {
  const [x, gamma, beta] = [
    [1, 2, 3, 10, 20, 60],
    [1, 2, 3],
    [4, 5, 6],
  ].map((numbers) => Float32Array.from(numbers));
  const file = readSafetensors(
    writeSafetensors({ 'norm.weight': gamma as Float32Array, 'norm.bias': beta as Float32Array }),
  );
  const options = { shape: [2, 3], gamma: file.get('norm.weight'), beta: file.get('norm.bias') };
  expect(layerNorm(x as Float32Array, options)).toEqual(
    layerNorm(x as Float32Array, { ...options, gamma, beta }),
  );
});

test('the beginning of a file is enough for its header', () => {
  const bytes = writeSafetensors({ x: Float32Array.of(1, 2) });
  const size = safetensorsHeaderBytes(bytes.subarray(0, 8));
  const { tensors, fileBytes } = readSafetensorsHeader(bytes.subarray(0, size));
  expect(tensors.get('x')).toMatchObject({ dtype: 'float32', start: size, end: size + 8 });
  expect(fileBytes).toBe(bytes.length);
  expectError(
    () => readSafetensorsHeader(bytes.subarray(0, 20)),
    'ERR_FILE',
    `the safetensors header: it is cut off: 20 bytes came, it takes ${size}`,
  );
  expectError(
    () => readSafetensorsHeader(bytes.subarray(0, size), size + 4),
    'ERR_FILE',
    `the safetensors header: its tensors end at byte ${size + 8}, the file at ${size + 4}: it is cut off`,
  );
});

test('types that are not read are listed, and the others can be read', () => {
  const entry = (dtype: string, from: number, to: number) => ({
    dtype,
    shape: [6],
    data_offsets: [from, to],
  });
  const file = readSafetensors(
    fileOf(JSON.stringify({ q: entry('F8_E4M3', 0, 6), x: entry('U8', 6, 12) }), 12),
  );
  expect(file.tensors.get('q')).toMatchObject({ dtype: null, storedDType: 'F8_E4M3' });
  expect([...file.get('x').data]).toEqual([0, 0, 0, 0, 0, 0]);
  expectError(
    () => file.get('q'),
    'ERR_FILE',
    "tensor 'q': its elements are of type F8_E4M3, expected floats of 16 bits or more, or integers",
  );
  expectError(
    () => file.get('y'),
    'ERR_ARGUMENT',
    "SafetensorsFile.get: there is no tensor 'y', expected one of 'q', 'x'",
  );
});

describe('files that are refused', () => {
  const valid = { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] };
  const one = (entry: unknown) => fileOf(JSON.stringify({ x: entry }));
  const part = 'the safetensors header';

  test.each<[string, Uint8Array, string | RegExp]>([
    ['nothing', new Uint8Array(), `${part}: it is cut off: 0 bytes came, its length takes 8`],
    [
      'a length of 2^63',
      fileOf('{}', 0, 2n ** 63n),
      `${part}: it says that it has 9223372036854775808 bytes, expected at most 100000000`,
    ],
    ['a header that is cut off', one(valid).slice(0, 30), /it is cut off: 30 bytes came/],
    ['a list', fileOf('[1]'), `${part}: it does not begin with {`],
    ['no JSON', fileOf('{"x": '), /begins its end, expected "\{"/],
    [
      'nesting without end',
      fileOf('{"a":'.repeat(1_000_000)),
      /^tensor 'a': it has a key 'a', expected dtype, shape and data_offsets, each once$/,
    ],
    ['lists without end', fileOf(`{"a":{"shape":${'['.repeat(1_000_000)}`), /expected an integer/],
    [
      'no UTF-8',
      fileOf('{"x": 1}').map((byte) => (byte === 0x78 ? 0xff : byte)),
      `${part}: it is no UTF-8 text`,
    ],
    [
      'a name twice',
      fileOf(`{"x":${JSON.stringify(valid)},"x":${JSON.stringify(valid)}}`),
      `${part}: it has two tensors 'x'`,
    ],
    [
      'the same name in other letters',
      fileOf(`{"x":${JSON.stringify(valid)},"\\u0078":${JSON.stringify(valid)}}`),
      `${part}: it has two tensors 'x'`,
    ],
    ['notes twice', fileOf('{"__metadata__":{},"__metadata__":{}}'), `${part}: it has __metadata__ twice`],
    ['a note twice', fileOf('{"__metadata__":{"a":"","a":""}}'), `${part}: __metadata__: it has 'a' twice`],
    ['a note that is no text', fileOf('{"__metadata__":{"a":1}}'), /expected a text in quotes/],
    ['a tensor that is a list', one([1]), /expected "\{"/],
    [
      'a missing key',
      one({ ...valid, dtype: undefined }),
      "tensor 'x': it lacks a key, expected dtype, shape and data_offsets",
    ],
    [
      'an unknown dtype',
      one({ ...valid, dtype: 'constructor' }),
      "tensor 'x': its dtype 'constructor' is none of the format",
    ],
    ['a shape of halves', one({ ...valid, shape: [1.5, 4] }), /begins '\.5,4.+ expected "," or "\]"/],
    ['a negative shape', one({ ...valid, shape: [-2, -3] }), /expected an integer from 0 to 2\^53 - 1/],
    ['a shape beyond counting', one({ ...valid, shape: [2 ** 40, 2 ** 40] }), /too many elements to count/],
    [
      'a shape that wraps around to 6',
      one({ ...valid, shape: [2 ** 32, 2 ** 32, 6] }),
      /too many elements to count/,
    ],
    ['the same behind a zero', one({ ...valid, shape: [0, 2 ** 52, 2 ** 52] }), /too many elements to count/],
    [
      'another shape',
      one({ ...valid, shape: [2, 4] }),
      "tensor 'x': it has 24 bytes, and F32 of shape [2, 4] takes 32",
    ],
    [
      'three offsets',
      one({ ...valid, data_offsets: [0, 24, 24] }),
      "tensor 'x': its data_offsets are [0, 24, 24], expected a start and an end",
    ],
    ['offsets that go backwards', one({ ...valid, data_offsets: [24, 0] }), /its data_offsets are \[24, 0\]/],
    [
      'offsets beyond the file',
      one(valid).slice(0, -4),
      /its tensors end at byte \d+, the file at \d+: it is cut off$/,
    ],
    [
      'bytes before',
      one({ dtype: 'F32', shape: [5], data_offsets: [4, 24] }),
      "tensor 'x': the 4 bytes before it belong to no tensor",
    ],
    [
      'bytes behind',
      one({ dtype: 'F32', shape: [5], data_offsets: [0, 20] }),
      `${part}: the last 4 bytes of the file belong to no tensor`,
    ],
    [
      'tensors that overlap',
      fileOf(JSON.stringify({ a: valid, b: { dtype: 'F32', shape: [2], data_offsets: [20, 28] } }), 28),
      "tensor 'b': it overlaps with the one before",
    ],
    ['more after the header', fileOf('{}{}', 0), /begins '\{\}', expected its end/],
  ])('%s', (_, bytes, message) => {
    expectError(() => readSafetensors(bytes), 'ERR_FILE', message);
  });

  test('names are cut and shown without control characters', () => {
    const name = `\u001b[31m${'x'.repeat(500)}`;
    expectError(
      () => readSafetensors(fileOf(JSON.stringify({ [name]: { ...valid, shape: [] } }))),
      'ERR_FILE',
      /^tensor '\\u001b\[31mx{72}\.\.\.': /,
    );
  });
});

describe('what cannot be written', () => {
  test.each<[() => unknown, string, string | RegExp]>([
    [
      () => writeSafetensors(Float32Array.of(1) as never),
      'ERR_ARGUMENT',
      'writeSafetensors: tensors is a Float32Array, expected an object or a map of tensors by their names',
    ],
    [() => writeSafetensors({ x: 'y' as never }), 'ERR_ARGUMENT', /^writeSafetensors: 'x' is 'y'/],
    [
      () => writeSafetensors({ __metadata__: Float32Array.of(1) }),
      'ERR_ARGUMENT',
      /^safetensorsHeader: a tensor has the name '__metadata__'/,
    ],
    [
      () => writeSafetensors({}, { metadata: { a: 1 as never } }),
      'ERR_ARGUMENT',
      'safetensorsHeader: metadata.a is 1, expected a string',
    ],
    [
      () => writeSafetensors({}, { meta: {} } as never),
      'ERR_ARGUMENT',
      "writeSafetensors: unknown option 'meta', expected metadata",
    ],
    [
      () => safetensorsHeader([{ name: 'x', dtype: 'F32' as never, shape: [] }]),
      'ERR_DTYPE',
      /^safetensorsHeader: the dtype of tensor 'x' is 'F32'/,
    ],
    [
      () => safetensorsHeader([{ name: 'x', dtype: 'int8', shape: [-1] }]),
      'ERR_SHAPE',
      /^safetensorsHeader: the shape of tensor 'x' is \[-1\]/,
    ],
  ])('%s', (call, code, message) => {
    expectError(call, code as 'ERR_DTYPE', message);
  });
});
