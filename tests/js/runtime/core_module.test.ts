import { CORE_DTYPE, type CoreModule, checkStatus, readText } from '../../../js/src/runtime/core_module.js';
import { instantiate } from '../../../js/src/runtime/load.js';
import { expectError } from '../support/errors.js';

const { core, memory } = instantiate('test');

/** Every function of the interface. The compiler holds this list to it, the first test holds the module to this list. */
const FUNCTIONS: Record<keyof CoreModule, true> = {
  allocate: true,
  release: true,
  layerNormForwardWorkspace: true,
  layerNormForward: true,
  layerNormBackwardWorkspace: true,
  layerNormBackward: true,
  batchNormWorkspace: true,
  batchNormForward: true,
  batchNormInference: true,
  batchNormBackward: true,
  groupNormForward: true,
  groupNormBackwardWorkspace: true,
  groupNormBackward: true,
  matryoshka: true,
  moments: true,
  rmsNormForwardWorkspace: true,
  rmsNormForward: true,
  rmsNormBackwardWorkspace: true,
  rmsNormBackward: true,
  skipLayerNormWorkspace: true,
  skipLayerNorm: true,
  unitNormForwardWorkspace: true,
  unitNormForward: true,
  unitNormBackwardWorkspace: true,
  unitNormBackward: true,
  spectralNormWorkspace: true,
  spectralNormForward: true,
  spectralNormBackward: true,
  statusCode: true,
  statusMessage: true,
  version: true,
};

test('the module has the functions that TypeScript relies on', () => {
  for (const name of Object.keys(FUNCTIONS))
    expect(core[name as keyof CoreModule]).toEqual(expect.any(Function));
});

test('reads text up to its zero', () => {
  const address = core.allocate(64);
  new Uint8Array(memory.buffer).set([72, 105, 0, 33], address);
  expect(readText(memory, address)).toBe('Hi');
  core.release(address);
});

test('0 is no error', () => {
  expect(() => checkStatus(core, memory, 'test', 0)).not.toThrow();
});

test("a kernel's status becomes an error with the code and the text that the core has for it", () => {
  const dims = core.allocate(64);
  new Uint32Array(memory.buffer)[dims / 4] = 4;
  const x = core.allocate(64);
  const noAxes = core.layerNormForward(CORE_DTYPE.float32, x, x, 0, 0, 0, 0, 0, 0, dims, 1, 0, 1e-3, false);
  expectError(() => checkStatus(core, memory, 'layerNorm', noAxes), 'ERR_AXIS', /^layerNorm: \w.* axes /);
  const noX = core.layerNormForward(CORE_DTYPE.float32, 0, x, 0, 0, 0, 0, 0, 0, dims, 1, 1, 1e-3, false);
  expectError(() => checkStatus(core, memory, 'layerNorm', noX), 'ERR_ARGUMENT', /^layerNorm: \w/);
});

test('the numbers of the element types are those of the core', () => {
  const x = core.allocate(64);
  const dims = core.allocate(64);
  new Uint32Array(memory.buffer)[dims / 4] = 2;
  new Float64Array(memory.buffer).set([1, 3], x / 8);
  expect(core.layerNormForward(CORE_DTYPE.float64, x, x, 0, 0, 0, 0, 0, 0, dims, 1, 1, 0, false)).toBe(0);
  expect(Array.from(new Float64Array(memory.buffer, x, 2))).toEqual([-1, 1]);
  new Float32Array(memory.buffer).set([1, 3], x / 4);
  expect(core.layerNormForward(CORE_DTYPE.float32, x, x, 0, 0, 0, 0, 0, 0, dims, 1, 1, 0, false)).toBe(0);
  expect(Array.from(new Float32Array(memory.buffer, x, 2))).toEqual([-1, 1]);
  for (const [type, bits] of [
    [CORE_DTYPE.float16, [0x3c00, 0x4200, 0xbc00]],
    [CORE_DTYPE.bfloat16, [0x3f80, 0x4040, 0xbf80]],
  ] as const) {
    const bytes = core.layerNormForwardWorkspace(type, dims, 1, 1);
    const workspace = core.allocate(bytes);
    new Uint16Array(memory.buffer).set(bits, x / 2);
    const status = core.layerNormForward(type, x, x, 0, 0, 0, 0, workspace, bytes, dims, 1, 1, 0, false);
    expect(status).toBe(0);
    expect(Array.from(new Uint16Array(memory.buffer, x, 2))).toEqual([bits[2], bits[0]]);
  }
});
