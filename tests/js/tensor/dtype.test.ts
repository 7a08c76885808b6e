import { runInNewContext } from 'node:vm';
import {
  asFloat16,
  checkAttached,
  dtypeOfArray,
  newArray,
  parameterDType,
  readDTypeOption,
  typedArrayName,
} from '../../../js/src/tensor/dtype.js';
import { expectError } from '../support/errors.js';

describe('typedArrayName', () => {
  test.each([
    [new Float32Array(1), 'Float32Array'],
    [new Uint8ClampedArray(1), 'Uint8ClampedArray'],
    [new BigInt64Array(1), 'BigInt64Array'],
    [Buffer.from('a'), 'Uint8Array'],
    [new (class Mine extends Float64Array {})(1), 'Float64Array'],
    [new DataView(new ArrayBuffer(1)), undefined],
    [new ArrayBuffer(1), undefined],
    [[1], undefined],
    [{ [Symbol.toStringTag]: 'Float32Array' }, undefined],
    [1, undefined],
    [null, undefined],
  ])('%# sees what it is', (value, name) => {
    expect(typedArrayName(value)).toBe(name);
  });

  test('holds across realms, where instanceof does not', () => {
    const foreign = runInNewContext('new Float32Array(2)');
    expect(foreign instanceof Float32Array).toBe(false);
    expect(typedArrayName(foreign)).toBe('Float32Array');
  });
});

test('float64 stays, float32 and integers are computed in float32', () => {
  expect(dtypeOfArray('f', 'x', 'Float64Array')).toBe('float64');
  for (const bits of [8, 16, 32]) {
    expect(dtypeOfArray('f', 'x', `Int${bits}Array`)).toBe('float32');
    expect(dtypeOfArray('f', 'x', `Uint${bits}Array`)).toBe('float32');
  }
  expect(dtypeOfArray('f', 'x', 'Uint8ClampedArray')).toBe('float32');
  expect(dtypeOfArray('f', 'x', 'Float32Array')).toBe('float32');
});

test.each(['BigInt64Array', 'BigUint64Array'])('%s is refused', (name) => {
  expectError(
    () => dtypeOfArray('f', 'x', name),
    'ERR_DTYPE',
    `f: x is a ${name}, expected float16, bfloat16, float32, float64 or integers of up to 32 bits`,
  );
});

test('16-bit floats are told by their class, or by what the bits are said to be', () => {
  expect(dtypeOfArray('f', 'x', 'Float16Array')).toBe('float16');
  expect(dtypeOfArray('f', 'x', 'Uint16Array', 'float16')).toBe('float16');
  expect(dtypeOfArray('f', 'x', 'Uint16Array', 'bfloat16')).toBe('bfloat16');
  for (const other of ['uint16', 'float32', null, undefined]) {
    expect(dtypeOfArray('f', 'x', 'Uint16Array', other)).toBe('float32');
  }
  expect(dtypeOfArray('f', 'x', 'Int16Array', 'float16')).toBe('float32');
});

test('the parameters of 16-bit data are float32', () => {
  expect(parameterDType('float16')).toBe('float32');
  expect(parameterDType('bfloat16')).toBe('float32');
  expect(parameterDType('float32')).toBe('float32');
  expect(parameterDType('float64')).toBe('float64');
});

test('a Float16Array over the same memory, where there is one', () => {
  const bits = new Uint16Array([0, 0x3c00, 0xc000]).subarray(1);
  const floats = asFloat16(bits);
  if ('Float16Array' in globalThis) expect(Array.from(floats as never)).toEqual([1, -2]);
  else expect(floats).toBeUndefined();
});

test('the option dtype', () => {
  expect(readDTypeOption('f', undefined, 'float64')).toBe('float64');
  expect(readDTypeOption('f', null, 'float32')).toBe('float32');
  expect(readDTypeOption('f', 'float64', 'float32')).toBe('float64');
  expect(readDTypeOption('f', 'bfloat16', 'float32')).toBe('bfloat16');
  for (const wrong of ['half', 'toString', 32, {}]) {
    expectError(
      () => readDTypeOption('f', wrong, 'float32'),
      'ERR_DTYPE',
      /^f: dtype is .*, expected 'float32', 'float64', 'float16' or 'bfloat16'$/,
    );
  }
});

test('new arrays', () => {
  expect(newArray('float32', 2)).toEqual(new Float32Array(2));
  expect(newArray('float64', 0)).toEqual(new Float64Array(0));
  expect(newArray('bfloat16', 1)).toEqual(new Uint16Array(1));
});

describe('a detached buffer', () => {
  const detached = (): Float32Array => {
    const array = new Float32Array(4);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  };

  test('is told from an empty array', () => {
    expectError(
      () => checkAttached('f', 'x', detached()),
      'ERR_DISPOSED',
      /^f: the buffer of x is detached: it was transferred/,
    );
    checkAttached('f', 'x', new Float32Array(0));
    checkAttached('f', 'x', new Float32Array(1));
  });

  test('is found by its own word where the engine has one', () => {
    const array = new Float32Array(0);
    Object.defineProperty(array.buffer, 'detached', { value: true });
    expectError(() => checkAttached('f', 'x', array), 'ERR_DISPOSED', /detached/);
  });
});
