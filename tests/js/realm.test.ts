// Jest runs tests in a realm of their own: classes of the sandbox are not those of the engine. So do frames and vm contexts.
import { runInNewContext } from 'node:vm';
import { layerNorm, tensor } from 'layernorm';

test('the trap is real: instanceof fails for what comes from elsewhere', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  expect(memory.buffer instanceof ArrayBuffer).toBe(false);
  expect(runInNewContext('new Float32Array(1)') instanceof Float32Array).toBe(false);
});

test.each([
  ['typed arrays', 'new Float32Array([1, 2, 3, 4])'],
  ['nested arrays', '[1, 2, 3, 4]'],
])('%s of another realm are what they are', (_, code) => {
  const expected = layerNorm(new Float32Array([1, 2, 3, 4]));
  const foreign = runInNewContext(code);
  expect(Array.from(layerNorm(foreign, { gamma: foreign, beta: foreign }))).toEqual(
    Array.from(layerNorm(new Float32Array([1, 2, 3, 4]), { gamma: [1, 2, 3, 4], beta: [1, 2, 3, 4] })),
  );
  using t = tensor(foreign);
  using y = layerNorm(t);
  expect(y.array).toEqual(expected);
});

test('views of the memory are known as such', () => {
  using t = tensor(new Float32Array([1, 2, 3, 4]));
  const { array } = t;
  expect(layerNorm(array, { out: array })).toBe(array);
  expect(t.array).toEqual(layerNorm(new Float32Array([1, 2, 3, 4])));
});

test('an out of another realm is filled', () => {
  const out = runInNewContext('new Float32Array(4)');
  expect(layerNorm(new Float32Array([1, 2, 3, 4]), { out })).toBe(out);
  expect(Array.from(out)).toEqual(Array.from(layerNorm(new Float32Array([1, 2, 3, 4]))));
});
