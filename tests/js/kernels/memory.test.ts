import { checkBlock, STACK_BYTES, Stack } from '../../../js/src/kernels/memory.js';
import { expectError } from '../support/errors.js';

const memory = new WebAssembly.Memory({ initial: 2 });
const end = 2 * 65536;

test('the sizes of a shape lie at the start of the stack, its top is the aligned end', () => {
  const stack = new Stack('test', memory, { address: 1028, bytes: STACK_BYTES + 9 });
  expect(stack.dims).toBe(1028);
  expect(stack.top % 16).toBe(0);
  expect(stack.top).toBeLessThanOrEqual(1028 + STACK_BYTES + 9);
  expect(stack.top).toBeGreaterThan(1028 + STACK_BYTES - 16);
});

test.each([
  [{ address: 0, bytes: 1024 }, false],
  [{ address: 0, bytes: 1025 }, true],
  [{ address: 1024 + STACK_BYTES - 1, bytes: 1 }, true],
  [{ address: 1024 + STACK_BYTES, bytes: 8 }, false],
])('%p overlaps the stack: %p', (block, overlaps) => {
  expect(new Stack('test', memory, { address: 1024, bytes: STACK_BYTES }).overlaps(block)).toBe(overlaps);
});

test('a block that ends with the memory is all right, one byte more is not', () => {
  expect(() => checkBlock('test', 'x', memory, { address: end - 8, bytes: 8 }, 8)).not.toThrow();
  const message = `test: x has 9 bytes from address ${end - 8} on, but the memory ends at ${end}`;
  expectError(
    () => checkBlock('test', 'x', memory, { address: end - 8, bytes: 9 }, 8),
    'ERR_ARGUMENT',
    message,
  );
});
