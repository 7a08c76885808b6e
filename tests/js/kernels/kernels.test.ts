// Tier: bitwise. The freestanding module gives the bits that the functions of the package give, in memories of all kinds.
import {
  batchNorm,
  batchNormBackward,
  batchNormForward,
  type DType,
  groupNormBackward,
  groupNormForward,
  LayerNormError,
  layerNormBackward,
  layerNormForward,
  matryoshka,
  moments,
  rmsNormBackward,
  rmsNormForward,
  skipLayerNormForward,
  skipRmsNormForward,
  spectralNorm,
  spectralNormBackward,
  unitNormBackward,
  unitNormForward,
} from 'layernorm';
import {
  createKernels,
  type KernelArguments,
  type KernelName,
  type Kernels,
  LayerNormError as KernelsError,
  STACK_BYTES,
} from 'layernorm/kernels';
import { copierOf } from '../../../js/src/tensor/sixteen_bit.js';
import { expectError, thrownBy } from '../support/errors.js';

type Typed = Float32Array | Float64Array | Uint16Array;

const BYTES = 64 * 2 ** 20;

/** Arrays in a memory of somebody else's, as its malloc would place them. */
class Host {
  readonly memory: WebAssembly.Memory;
  #next = 1024;

  constructor(shared = false) {
    const pages = BYTES / 65536;
    this.memory = new WebAssembly.Memory({ initial: pages, ...(shared && { maximum: pages, shared }) });
  }

  allocate(bytes: number): number {
    const address = this.#next;
    this.#next = Math.ceil((address + bytes) / 16) * 16;
    if (this.#next > BYTES) throw new Error('the test needs a larger memory');
    return address;
  }

  put(values: Typed): number {
    const address = this.allocate(values.byteLength);
    const View = values.constructor as Float32ArrayConstructor;
    new View(this.memory.buffer as ArrayBuffer, address, values.length).set(values);
    return address;
  }

  get<T extends Typed>(like: T, address: number): T {
    const View = like.constructor as Float32ArrayConstructor;
    return new View(this.memory.buffer as ArrayBuffer, address, like.length).slice() as T;
  }

  kernels(): Kernels {
    const stack = { address: this.allocate(STACK_BYTES), bytes: STACK_BYTES };
    return createKernels({ memory: this.memory, stack });
  }
}

let seed = 1;
const uniform = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32 - 0.4;
};

/** Numbers of a type; of those of 16 bits, their bits. */
function numbers(dtype: DType, length: number): Typed {
  if (dtype === 'float64') return Float64Array.from({ length }, uniform);
  const values = Float32Array.from({ length }, uniform);
  if (dtype === 'float32') return values;
  const bits = new Uint16Array(length);
  copierOf('float32', dtype)(bits, 0, values, 0, length);
  return bits;
}

const wide = (dtype: DType, length: number): Typed =>
  numbers(dtype === 'float64' ? 'float64' : 'float32', length);

/** Names the inputs and outputs of one call. What the package computes says what the outputs are to be. */
function compare<Name extends KernelName>(
  host: Host,
  kernels: Kernels,
  name: Name,
  options: Record<string, unknown>,
  inputs: Record<string, Typed>,
  expected: Record<string, Typed | undefined>,
): void {
  const places: Record<string, number> = {};
  for (const [key, values] of Object.entries(inputs)) places[key] = host.put(values);
  for (const [key, values] of Object.entries(expected)) {
    if (values) places[key] = host.allocate(values.byteLength);
  }
  const bytes = kernels.workspaceBytes(name, options as never);
  const workspace = bytes === 0 ? undefined : { address: host.allocate(bytes), bytes };
  (kernels[name] as (given: unknown) => void)({ ...options, ...places, workspace });
  for (const [key, values] of Object.entries(expected)) {
    if (values) expect(host.get(values, places[key] as number)).toEqual(values);
  }
}

const as = (values: unknown): Typed => values as Typed;

describe.each(['float32', 'float64', 'float16', 'bfloat16'] as const)('%s', (dtype) => {
  describe.each([false, true])('in a memory that is shared: %p', (shared) => {
    const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

    test.each<[number[], number | number[]]>([
      [[7, 100], -1],
      [[3, 1000], 1],
      [[40, 6], 0],
      [
        [3, 4, 5, 6],
        [1, 3],
      ],
      [[9], 0],
      [[0, 4], -1],
    ])('over shape %p and axis %p', (shape, axis) => {
      const host = new Host(shared);
      const kernels = host.kernels();
      const axes = [axis].flat().map((d) => (d + shape.length) % shape.length);
      const positions = product(shape.filter((_, d) => axes.includes(d)));
      const [x, dy] = [numbers(dtype, product(shape)), numbers(dtype, product(shape))];
      const [gamma, beta] = [wide(dtype, positions), wide(dtype, positions)];
      const options = { shape, axis, dtype };

      for (const rmsScaling of [false, true]) {
        const all = { ...options, rmsScaling, gamma };
        const forward = layerNormForward(x, { ...all, ...(!rmsScaling && { beta }) });
        const statistics = { mean: as(forward.mean), rstd: as(forward.rstd) };
        const given = { x, gamma, ...(!rmsScaling && { beta }) };
        compare(host, kernels, 'layerNormForward', { ...options, rmsScaling }, given, {
          y: as(forward.y),
          ...statistics,
        });
        const back = layerNormBackward(dy, x, { ...all, ...statistics } as never) as Record<string, Typed>;
        const wanted = { dx: back.dx, dgamma: back.dgamma, dbeta: rmsScaling ? undefined : back.dbeta };
        compare(
          host,
          kernels,
          'layerNormBackward',
          { ...options, rmsScaling },
          { dy, x, gamma, ...statistics },
          wanted,
        );
      }

      const rms = rmsNormForward(x, { ...options, gamma });
      compare(host, kernels, 'rmsNormForward', options, { x, gamma }, { y: as(rms.y), rstd: as(rms.rstd) });
      const rmsBack = rmsNormBackward(dy, x, { ...options, gamma, rstd: rms.rstd });
      compare(
        host,
        kernels,
        'rmsNormBackward',
        options,
        { dy, x, gamma, rstd: as(rms.rstd) },
        {
          dx: as(rmsBack.dx),
          dgamma: as(rmsBack.dgamma),
        },
      );

      const unit = unitNormForward(x, options);
      compare(host, kernels, 'unitNormForward', options, { x }, { y: as(unit.y), rstd: as(unit.rstd) });
      const unitBack = unitNormBackward(dy, x, { ...options, rstd: unit.rstd });
      compare(
        host,
        kernels,
        'unitNormBackward',
        options,
        { dy, x, rstd: as(unit.rstd) },
        { dx: as(unitBack.dx) },
      );

      const { mean, variance } = moments(x, options);
      compare(host, kernels, 'moments', options, { x }, { mean: as(mean), variance: as(variance) });
    });

    test.each<[number[], number]>([
      [[16, 40], -1],
      [[4, 7, 7, 12], -1],
      [[3, 12, 5, 5], 1],
    ])('by channels, shape %p and axis %p', (shape, axis) => {
      const host = new Host(shared);
      const kernels = host.kernels();
      const channels = shape.at(axis) as number;
      const [x, dy] = [numbers(dtype, product(shape)), numbers(dtype, product(shape))];
      const [gamma, beta] = [wide(dtype, channels), wide(dtype, channels)];
      const options = { shape, axis, dtype };

      const batch = batchNormForward(x, { ...options, gamma, beta });
      const { mean, variance, rstd } = batch as unknown as Record<string, Typed>;
      const statistics = { mean: as(mean), rstd: as(rstd) };
      compare(
        host,
        kernels,
        'batchNormForward',
        options,
        { x, gamma, beta },
        {
          y: as(batch.y),
          ...statistics,
          variance: as(variance),
        },
      );
      const inferred = batchNorm(x, { ...options, gamma, beta, mean: as(mean), variance: as(variance) });
      const given = { x, gamma, beta, mean: as(mean), variance: as(variance) };
      compare(host, kernels, 'batchNormInference', options, given, { y: as(inferred) });
      for (const training of [true, false]) {
        const back = batchNormBackward(dy, x, {
          ...options,
          ...statistics,
          gamma,
          training,
        } as never) as Record<string, Typed>;
        const { dx, dgamma, dbeta } = back;
        compare(
          host,
          kernels,
          'batchNormBackward',
          { ...options, training },
          { dy, x, gamma, ...statistics },
          {
            dx,
            dgamma,
            dbeta,
          },
        );
      }

      for (const groups of [1, 4, channels]) {
        const forward = groupNormForward(x, { ...options, groups, gamma, beta });
        const known = { mean: as(forward.mean), rstd: as(forward.rstd) };
        compare(
          host,
          kernels,
          'groupNormForward',
          { ...options, groups },
          { x, gamma, beta },
          { y: as(forward.y), ...known },
        );
        const back = groupNormBackward(dy, x, { ...options, groups, gamma, ...known } as never) as Record<
          string,
          Typed
        >;
        const { dx, dgamma, dbeta } = back;
        compare(
          host,
          kernels,
          'groupNormBackward',
          { ...options, groups },
          { dy, x, gamma, ...known },
          { dx, dgamma, dbeta },
        );
      }
    });

    test.each<[number[], number]>([
      [[7, 100], 64],
      [[3, 1000], 1],
      [[2, 3, 5], 5],
      [[9], 2],
      [[0, 4], 3],
    ])('of rows of %p the first %p', (shape, dimensions) => {
      const host = new Host(shared);
      const x = numbers(dtype, product(shape));
      const y = matryoshka(x, { shape, dimensions, dtype });
      const options = { shape, dimensions, dtype };
      compare(host, host.kernels(), 'matryoshka', options, { x }, { y: as(y) });
    });

    test('skip and spectral norms', () => {
      const host = new Host(shared);
      const kernels = host.kernels();
      const shape = [6, 50];
      const [x, skip, dy] = [numbers(dtype, 300), numbers(dtype, 100), numbers(dtype, 300)];
      const [bias, gamma, beta] = [wide(dtype, 50), wide(dtype, 50), wide(dtype, 50)];
      const options = { shape, dtype };
      const skipped = skipLayerNormForward(x, as(numbers(dtype, 300)), { shape, dtype });
      expect(skipped.y.length).toBe(300);
      const whole = numbers(dtype, 300);
      const layer = skipLayerNormForward(x, whole, { ...options, bias, gamma, beta });
      compare(
        host,
        kernels,
        'skipLayerNorm',
        options,
        { x, skip: whole, bias, gamma, beta },
        {
          y: as(layer.y),
          sum: as(layer.sum),
          mean: as(layer.mean),
          rstd: as(layer.rstd),
        },
      );
      const rms = skipRmsNormForward(x, whole, { ...options, gamma, epsilon: 1e-6 });
      compare(
        host,
        kernels,
        'skipLayerNorm',
        { ...options, rms: true, epsilon: 1e-6 },
        { x, skip: whole, gamma },
        {
          y: as(rms.y),
          rstd: as(rms.rstd),
        },
      );
      // A skip of two rows is repeated: as if it were written out.
      const repeated = new (skip.constructor as Float32ArrayConstructor)(300) as Typed;
      for (const start of [0, 100, 200]) repeated.set(skip, start);
      const twice = skipLayerNormForward(x, repeated, { ...options, gamma });
      compare(
        host,
        kernels,
        'skipLayerNorm',
        { ...options, skipRows: 2 },
        { x, skip, gamma },
        { y: as(twice.y) },
      );

      const u = wide(dtype, 50);
      const spectral = spectralNorm(x, { ...options, u: u as Float32Array, powerIterations: 3 });
      const sigma = (dtype === 'float64' ? Float64Array : Float32Array).of(Number(spectral.sigma));
      compare(
        host,
        kernels,
        'spectralNormForward',
        { ...options, powerIterations: 3 },
        { kernel: x, u },
        {
          y: as(spectral.kernel),
          uOut: as(spectral.u),
          v: as(spectral.v),
          sigma,
        },
      );
      const vectors = { u: as(spectral.u), v: as(spectral.v) };
      const back = spectralNormBackward(dy, x, { ...options, ...vectors, sigma: spectral.sigma } as never);
      compare(
        host,
        kernels,
        'spectralNormBackward',
        { ...options, sigma: Number(spectral.sigma) },
        { dy, kernel: x, ...vectors },
        {
          dkernel: as(back),
        },
      );
    });
  });
});

test('an instance for each part of a shared memory: each works on rows of its own', () => {
  const host = new Host(true);
  const [rows, columns] = [64, 96];
  const x = numbers('float32', rows * columns) as Float32Array;
  const address = host.put(x);
  for (const part of [0, 1]) {
    const start = address + part * (rows / 2) * columns * 4;
    host.kernels().layerNormForward({ shape: [rows / 2, columns], x: start, y: start });
  }
  expect(host.get(x, address)).toEqual(layerNormForward(x, { shape: [rows, columns] }).y);
});

test.each([false, true])('its module makes more instances, shared: %p', (shared) => {
  const host = new Host(shared);
  const first = host.kernels();
  const stack = { address: host.allocate(STACK_BYTES), bytes: STACK_BYTES };
  const second = createKernels({ memory: host.memory, stack, module: first.module });
  expect(second.module).toBe(first.module);
  const address = host.put(Float32Array.of(1, 2, 3, 4));
  second.layerNormForward({ shape: [4], x: address, y: address });
  const { y } = layerNormForward(Float32Array.of(1, 2, 3, 4));
  expect(host.get(y, address)).toEqual(y);
  const { memory } = new Host(!shared);
  expectError(
    () => createKernels({ memory, stack, module: first.module }),
    'ERR_LOAD',
    /does not fit the memory/,
  );
});

test('a memory that its host grows stays usable', () => {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const kernels = createKernels({ memory, stack: { address: 1024, bytes: STACK_BYTES } });
  memory.grow(1);
  const view = new Float32Array(memory.buffer, 2 * 65536, 4);
  view.set([1, 2, 3, 4]);
  kernels.layerNormForward({ shape: [4], x: view.byteOffset, y: view.byteOffset });
  expect(view).toEqual(layerNormForward(Float32Array.of(1, 2, 3, 4)).y);
});

describe('mistakes', () => {
  const host = new Host();
  const kernels = host.kernels();
  const x = host.put(new Float32Array(12));
  const y = host.put(new Float32Array(12).fill(7));
  const shape = [3, 4];
  const stack = { address: 1024, bytes: STACK_BYTES };

  test.each<[Partial<KernelArguments['layerNormForward']> & Record<string, unknown>, string, RegExp]>([
    [{ shape: [3, -4] }, 'ERR_SHAPE', /^layerNormForward: dimension 1 of the shape .* is -4/],
    [{ shape: [3, 2 ** 40] }, 'ERR_SHAPE', /is 1099511627776/],
    [{ shape: undefined as never }, 'ERR_SHAPE', /the shape of x is undefined/],
    [{ axis: 2 }, 'ERR_AXIS', /axis 2 is out of bounds/],
    [
      { dtype: 'int8' as never },
      'ERR_DTYPE',
      /dtype is 'int8', expected float32, float64, float16, bfloat16/,
    ],
    [{ x: undefined as never }, 'ERR_ARGUMENT', /x is missing, expected its address/],
    [{ x: 0 }, 'ERR_ARGUMENT', /x is at 0, expected an address: a positive integer, a multiple of 4/],
    [{ x: 1.5 }, 'ERR_ARGUMENT', /x is at 1.5/],
    [{ x: Number.NaN }, 'ERR_ARGUMENT', /x is at NaN/],
    [{ x: x + 2 }, 'ERR_ARGUMENT', /a multiple of 4/],
    [
      { x: BYTES - 40 },
      'ERR_ARGUMENT',
      /x has 48 bytes from address \d+ on, but the memory ends at 67108864/,
    ],
    [{ shape: [2 ** 20, 2 ** 20] }, 'ERR_ARGUMENT', /x has 4398046511104 bytes/],
    [{ gamma: BYTES }, 'ERR_ARGUMENT', /gamma has 16 bytes/],
    [{ y: 1024 }, 'ERR_ARGUMENT', /y overlaps the stack/],
    [{ y: x + 4 }, 'ERR_ARGUMENT', /^layerNormForward: an output overlaps an input/],
    [{ epsilon: -1 }, 'ERR_ARGUMENT', /^layerNormForward: epsilon must be a finite number/],
    [{ epsilon: '1' as never }, 'ERR_ARGUMENT', /epsilon is '1', expected a number/],
    [{ rmsScaling: 1 as never }, 'ERR_ARGUMENT', /rmsScaling is 1, expected true or false/],
    [
      { workspace: { address: 12, bytes: 8 } },
      'ERR_ARGUMENT',
      /workspace is at 12, expected .* a multiple of 8/,
    ],
  ])('%p', (change, code, message) => {
    expectError(() => kernels.layerNormForward({ shape, x, y, ...change }), code as never, message);
    expect(host.get(new Float32Array(12), y)).toEqual(new Float32Array(12).fill(7));
  });

  test('a workspace that is missing or too small', () => {
    const bytes = kernels.workspaceBytes('layerNormBackward', { shape });
    expect(bytes).toBeGreaterThan(0);
    const given = { shape, dy: x, x, mean: y, rstd: y, dgamma: host.allocate(16) };
    expectError(
      () => kernels.layerNormBackward(given),
      'ERR_ARGUMENT',
      new RegExp(`workspace is missing, expected \\{ address, bytes \\} of at least ${bytes} bytes`),
    );
    const workspace = { address: host.allocate(bytes), bytes: bytes - 1 };
    expectError(
      () => kernels.layerNormBackward({ ...given, workspace }),
      'ERR_ARGUMENT',
      /expected at least/,
    );
  });

  test('channels that are no channels, groups that are no groups', () => {
    expectError(
      () => kernels.batchNormForward({ shape, axis: [0, 1] as never, x, y }),
      'ERR_AXIS',
      /an integer$/,
    );
    expectError(
      () => kernels.groupNormForward({ shape, axis: 0, x, y }),
      'ERR_AXIS',
      /not that of the samples$/,
    );
    expectError(
      () => kernels.groupNormForward({ shape, groups: 3, x, y }),
      'ERR_ARGUMENT',
      /multiple of the groups$/,
    );
    expectError(
      () => kernels.groupNormForward({ shape, groups: 1.5, x, y }),
      'ERR_ARGUMENT',
      /groups is 1.5/,
    );
  });

  test('what is kept needs no workspace, however much it is', () => {
    expect(kernels.workspaceBytes('matryoshka', { shape, dtype: 'float16' })).toBe(0);
  });

  test.each<[Partial<KernelArguments['matryoshka']>, RegExp]>([
    [{}, /^matryoshka: dimensions is undefined, expected an integer/],
    [{ dimensions: 1.5 }, /dimensions is 1.5, expected an integer/],
    [{ dimensions: 0 }, /^matryoshka: dimensions must be from 1 to the number of columns/],
    [{ dimensions: 5 }, /dimensions must be from 1/],
    [{ dimensions: 2 ** 31 }, /y has 25769803776 bytes/],
    [{ dimensions: 2, y: x + 40 }, /^matryoshka: an output overlaps an input/],
    [{ dimensions: 2, y: BYTES - 20 }, /y has 24 bytes/],
  ])('of what is kept: %p', (change, message) => {
    expectError(() => kernels.matryoshka({ shape, x, y, ...change } as never), 'ERR_ARGUMENT', message);
    expect(host.get(new Float32Array(12), y)).toEqual(new Float32Array(12).fill(7));
  });

  test.each<[unknown, RegExp]>([
    [undefined, /the argument is undefined, expected an object/],
    [{ memory: {}, stack }, /memory is an Object, expected a WebAssembly.Memory/],
    [{ memory: host.memory }, /stack is undefined, expected an object/],
    [
      { memory: host.memory, stack: { address: 1024, bytes: 4096 } },
      /stack has 4096 bytes, expected at least STACK_BYTES/,
    ],
    [{ memory: host.memory, stack: { address: BYTES - 8, bytes: STACK_BYTES } }, /the memory ends at/],
  ])('createKernels(%p)', (options, message) => {
    expectError(() => createKernels(options as never), 'ERR_ARGUMENT', message);
  });

  test('the workspace of an operation that there is not', () => {
    expectError(
      () => kernels.workspaceBytes('layerNorm' as never, { shape: [2, 3] }),
      'ERR_ARGUMENT',
      /workspaceBytes: name is 'layerNorm', expected one of .*layerNormForward/,
    );
  });

  test('a module that is something else, and a memory that is too small', () => {
    const other = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    expectError(
      () => createKernels({ memory: host.memory, stack, module: other }),
      'ERR_LOAD',
      /module is not layernorm-kernels.wasm/,
    );
    const memory = new WebAssembly.Memory({ initial: 0 });
    expectError(
      () => createKernels({ memory, stack }),
      'ERR_LOAD',
      /does not fit the memory, which has 0 bytes/,
    );
  });
});

test('errors are those of the package, whichever entry they come from', () => {
  const error = thrownBy(() => createKernels(undefined as never));
  expect(error).toBeInstanceOf(LayerNormError);
  expect(error).toBeInstanceOf(KernelsError);
  expect(new Error('other')).not.toBeInstanceOf(LayerNormError);
});
