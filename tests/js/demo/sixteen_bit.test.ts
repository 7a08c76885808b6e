// What bits stand for has to be what the package takes them for: the page draws and checks the one and computes on the other.

import { tensor } from 'layernorm';
import { widen } from '../../../web-demo/src/parse/sixteen_bit.js';

const every = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);

test.each(['float16', 'bfloat16'] as const)(
  'every pattern of %s is the number that the package reads',
  (dtype) => {
    using read = tensor({ data: every, shape: [1 << 16], dtype }, undefined, 'float32');
    const numbers = widen({ dtype, array: every });
    const wrong = numbers.findIndex((value, i) => !Object.is(value, read.array[i]));
    expect(wrong).toBe(-1);
  },
);

test.each([
  ['float16', 0x3555, 0.333251953125],
  ['bfloat16', 0x3eab, 0.333984375],
] as const)('a third in %s', (dtype, bits, value) => {
  expect([...widen({ dtype, array: Uint16Array.of(bits, bits | 0x8000) })]).toEqual([value, -value]);
});
