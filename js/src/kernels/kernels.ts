import STATUSES from '#statuses';
import { CORE_DTYPE, type DType } from '../runtime/core_module.js';
import { describe, LayerNormError, type LayerNormErrorCode } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT } from '../runtime/heap.js';
import { checkShape, elementCount, formatShape, hasAxis, readAxes, type Shape } from '../tensor/shape.js';
import type { KernelArguments, KernelName } from './arguments.js';
import { type Block, checkBlock, Stack } from './memory.js';
import { instantiate, type KernelExports } from './module.js';
import { type Extent, type Item, type LayoutKind, OPERATIONS } from './operations.js';

/** Where {@link createKernels} works. */
export interface KernelsOptions {
  /** Any memory, shared or not, of at least one page. It is never grown from here. */
  readonly memory: WebAssembly.Memory;
  /**
   * A block of the memory that is the instance's alone while it is used, of at least {@link STACK_BYTES}: the host's `malloc`
   * gives one. Each thread needs an instance and a block of its own.
   */
  readonly stack: Block;
  /**
   * `layernorm-kernels.wasm`, compiled: where compiling from bytes is forbidden (Cloudflare Workers, Vercel Edge). Or what another
   * instance has as {@link Kernels.module}.
   * @defaultValue the module inside this package, compiled by the first call
   */
  readonly module?: WebAssembly.Module | null;
}

/** The largest answer of a core that counts in 32 bits: it stands for all that is more. */
const TOO_MANY_BYTES = 2 ** 32 - 1;

/** What fits into the core's counts. */
const MAX_COUNT = 2 ** 32 - 1;

/** What has the type of x. */
const LIKE_X: ReadonlySet<Extent> = new Set(['elements', 'skipElements', 'keptElements']);

/** Keras' default. */
const DEFAULT_GROUPS = 32;

/** How the core sees x, and how many elements that makes. */
interface Layout {
  readonly counts: Readonly<Partial<Record<Extent, number>>>;
  /** What goes to the core in place of `layout`. */
  readonly sizes: readonly number[];
  /** Goes to where the first of these points. */
  readonly dims?: Shape;
}

/**
 * The operations of layernorm on the addresses of any memory: that of another WebAssembly module, as TF.js has one, or one that
 * worker threads share. Nothing is copied, converted, allocated or grown. All results have the bits that the functions of
 * `layernorm` give.
 *
 * Every address and size is checked before anything is written. An absent array is `undefined` or `null`: 0 is no address.
 */
export class Kernels {
  /** What addresses are offsets into. */
  readonly memory: WebAssembly.Memory;
  /**
   * The compiled module, which fits every memory that is shared as this one is, or unshared as this one: workers that are given it as
   * {@link KernelsOptions.module} need not compile it again.
   */
  readonly module: WebAssembly.Module;
  /**
   * What the module exports.
   * @internal
   */
  readonly core: KernelExports;
  readonly #stack: Stack;

  /** @internal */
  constructor({ memory, stack, module }: KernelsOptions) {
    const instance = instantiate('createKernels', memory, module ?? undefined);
    this.core = instance.exports;
    this.module = instance.module;
    this.memory = memory;
    this.#stack = new Stack('createKernels', memory, stack);
    this.core.__stack_pointer.value = this.#stack.top;
  }

  /**
   * How many bytes {@link ArrayArguments.workspace} must have for a call with this shape, axis, dtype and groups. Often 0.
   * @throws {@link LayerNormError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_OUT_OF_MEMORY` for more than 32 bits can address
   */
  workspaceBytes<Name extends KernelName>(
    name: Name,
    given: Pick<KernelArguments[Name], 'shape' | 'dtype'> & { axis?: unknown; groups?: unknown },
  ): number {
    if (!Object.hasOwn(OPERATIONS, name)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `workspaceBytes: name is ${describe(name)}, expected one of ${Object.keys(OPERATIONS).join(', ')}`,
      );
    }
    const dtype = readDType(name, given.dtype);
    // How many dimensions are kept has no part in it.
    const layout = layoutOf(name, OPERATIONS[name].layout, { dimensions: 1, ...given });
    return this.#workspaceBytes(name, dtype, layout);
  }

  /** Layer normalization (Ba et al. 2016, Keras): y = (x - mean) * rstd * gamma + beta over the groups of `axis`. */
  layerNormForward(given: KernelArguments['layerNormForward']): void {
    this.#call('layerNormForward', given);
  }

  /** The gradient of {@link layerNormForward}, of mean and rstd as it wrote them. */
  layerNormBackward(given: KernelArguments['layerNormBackward']): void {
    this.#call('layerNormBackward', given);
  }

  /** RMS normalization (Zhang and Sennrich 2019, Keras): y = x / sqrt(mean(x^2) + epsilon) * gamma. */
  rmsNormForward(given: KernelArguments['rmsNormForward']): void {
    this.#call('rmsNormForward', given);
  }

  /** The gradient of {@link rmsNormForward}. */
  rmsNormBackward(given: KernelArguments['rmsNormBackward']): void {
    this.#call('rmsNormBackward', given);
  }

  /** Unit normalization (Keras): y = x / sqrt(max(sum(x^2), epsilon^2)). */
  unitNormForward(given: KernelArguments['unitNormForward']): void {
    this.#call('unitNormForward', given);
  }

  /** The gradient of {@link unitNormForward}. */
  unitNormBackward(given: KernelArguments['unitNormBackward']): void {
    this.#call('unitNormBackward', given);
  }

  /** Batch normalization (Ioffe and Szegedy 2015, Keras) with the statistics of x: one mean and variance for each channel. */
  batchNormForward(given: KernelArguments['batchNormForward']): void {
    this.#call('batchNormForward', given);
  }

  /** Batch normalization with statistics that are given. */
  batchNormInference(given: KernelArguments['batchNormInference']): void {
    this.#call('batchNormInference', given);
  }

  /** The gradient of {@link batchNormForward}, or with `training: false` of {@link batchNormInference}. */
  batchNormBackward(given: KernelArguments['batchNormBackward']): void {
    this.#call('batchNormBackward', given);
  }

  /** Group normalization (Wu and He 2018, Keras). Dimension 0 counts the samples. */
  groupNormForward(given: KernelArguments['groupNormForward']): void {
    this.#call('groupNormForward', given);
  }

  /** The gradient of {@link groupNormForward}. */
  groupNormBackward(given: KernelArguments['groupNormBackward']): void {
    this.#call('groupNormBackward', given);
  }

  /**
   * Layer normalization over the last axis without gamma and beta, of which the first `dimensions` elements are kept and divided by their
   * Euclidean norm.
   */
  matryoshka(given: KernelArguments['matryoshka']): void {
    this.#call('matryoshka', given);
  }

  /** Mean and biased variance of the groups of `axis`. */
  moments(given: KernelArguments['moments']): void {
    this.#call('moments', given);
  }

  /** sum = (x + skip) + bias, and layer or RMS normalization of it over the last axis. */
  skipLayerNorm(given: KernelArguments['skipLayerNorm']): void {
    this.#call('skipLayerNorm', given);
  }

  /** Spectral normalization (Miyato et al. 2018, Keras): y = kernel / sigma, by power iteration from u. */
  spectralNormForward(given: KernelArguments['spectralNormForward']): void {
    this.#call('spectralNormForward', given);
  }

  /** The gradient of {@link spectralNormForward}, u and v being constants. */
  spectralNormBackward(given: KernelArguments['spectralNormBackward']): void {
    this.#call('spectralNormBackward', given);
  }

  #call(name: KernelName, given: KernelArguments[KernelName]): void {
    const { layout: kind, items } = OPERATIONS[name];
    const values = readObject(name, given);
    const dtype = readDType(name, values.dtype);
    const layout = layoutOf(name, kind, values);
    const workspace = this.#workspaceOf(name, values, this.#workspaceBytes(name, dtype, layout));
    const list = [CORE_DTYPE[dtype]];
    for (const item of items) {
      switch (item.kind) {
        case 'array':
          list.push(this.#addressOf(name, item, values[item.name], dtype, layout));
          break;
        case 'number':
          list.push(readNumber(name, item.name, values[item.name], item.fallback));
          break;
        case 'count':
          list.push(readCount(name, item.name, values[item.name], item.fallback as number));
          break;
        case 'flag':
          list.push(readFlag(name, item.name, values[item.name], item.fallback ?? 0));
          break;
        case 'workspace':
          list.push(workspace.address, workspace.bytes);
          break;
        case 'layout':
          list.push(...this.#sizesOf(layout));
          break;
        case 'mask':
          list.push(0, 1);
          break;
        default:
          list.push(item.kind === 'true' ? 1 : 0);
      }
    }
    if (layout.dims)
      new Uint32Array(this.memory.buffer, this.#stack.dims, layout.dims.length).set(layout.dims);
    const status = (this.core[name] as (...list: number[]) => number)(...list);
    if (status === 0) return;
    const [code, text] = STATUSES[status] as readonly [LayerNormErrorCode, string];
    throw new LayerNormError(code, `${name}: ${text}`);
  }

  #sizesOf({ dims, sizes }: Layout): readonly number[] {
    return dims ? [this.#stack.dims, ...sizes] : sizes;
  }

  #workspaceBytes(name: KernelName, dtype: DType, layout: Layout): number {
    const { workspace, layout: kind } = OPERATIONS[name];
    if (workspace === undefined) return 0;
    if (layout.dims)
      new Uint32Array(this.memory.buffer, this.#stack.dims, layout.dims.length).set(layout.dims);
    // Of a spectral norm it is the same for all types, of a skip norm for all of skip.
    const sizes = kind === 'skip' ? layout.sizes.slice(0, 2) : this.#sizesOf(layout);
    const list = workspace === 'spectralNormWorkspace' ? sizes : [CORE_DTYPE[dtype], ...sizes];
    const bytes = (this.core[workspace] as (...list: number[]) => number)(...list) >>> 0;
    if (bytes !== TOO_MANY_BYTES) return bytes;
    throw new LayerNormError(
      'ERR_OUT_OF_MEMORY',
      `${name}: the workspace has more bytes than can be addressed`,
    );
  }

  #workspaceOf(name: KernelName, { workspace }: Record<string, unknown>, needed: number): Block {
    if (workspace === undefined || workspace === null) {
      if (needed === 0) return { address: 0, bytes: 0 };
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${name}: workspace is missing, expected { address, bytes } of at least ${needed} bytes`,
      );
    }
    const block = readObject(name, workspace, 'workspace') as unknown as Block;
    this.#checkBlock(name, 'workspace', block, 8);
    if (block.bytes >= needed) return block;
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${name}: workspace has ${block.bytes} bytes, expected at least ${needed}`,
    );
  }

  #addressOf(
    operation: KernelName,
    { name, extent, isOptional }: Extract<Item, { kind: 'array' }>,
    value: unknown,
    dtype: DType,
    { counts }: Layout,
  ): number {
    if (value === undefined || value === null) {
      if (isOptional) return 0;
      throw new LayerNormError('ERR_ARGUMENT', `${operation}: ${name} is missing, expected its address`);
    }
    const isWide = !LIKE_X.has(extent) && BYTES_PER_ELEMENT[dtype] === 2;
    const each = BYTES_PER_ELEMENT[isWide ? 'float32' : dtype];
    const bytes = (counts[extent] as number) * each;
    this.#checkBlock(operation, name, { address: value as number, bytes }, each);
    return value as number;
  }

  #checkBlock(operation: KernelName, name: string, block: Block, alignment: number): void {
    checkBlock(operation, name, this.memory, block, alignment);
    if (block.bytes > 0 && this.#stack.overlaps(block)) {
      throw new LayerNormError('ERR_ARGUMENT', `${operation}: ${name} overlaps the stack`);
    }
  }
}

/**
 * Makes an instance of the freestanding kernels on a memory, synchronously.
 * @throws {@link LayerNormError} `ERR_ARGUMENT` when the memory or the stack is not as described, `ERR_LOAD` when the module cannot
 * be compiled or does not fit the memory
 */
export function createKernels(options: KernelsOptions): Kernels {
  const { stack } = readObject('createKernels', options);
  readObject('createKernels', stack, 'stack');
  return new Kernels(options);
}

function readObject(operation: string, value: unknown, name = 'the argument'): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new LayerNormError('ERR_ARGUMENT', `${operation}: ${name} is ${describe(value)}, expected an object`);
}

function readDType(operation: string, value: unknown): DType {
  const dtype = value ?? 'float32';
  if (typeof dtype === 'string' && Object.hasOwn(CORE_DTYPE, dtype)) return dtype as DType;
  throw new LayerNormError(
    'ERR_DTYPE',
    `${operation}: dtype is ${describe(value)}, expected ${Object.keys(CORE_DTYPE).join(', ')}`,
  );
}

function readNumber(operation: string, name: string, value: unknown, fallback: number | undefined): number {
  if ((value === undefined || value === null) && fallback !== undefined) return fallback;
  if (typeof value === 'number') return value;
  throw new LayerNormError('ERR_ARGUMENT', `${operation}: ${name} is ${describe(value)}, expected a number`);
}

function readCount(operation: string, name: string, value: unknown, fallback?: number): number {
  const count = value ?? fallback;
  if (Number.isInteger(count) && (count as number) >= 0 && (count as number) <= MAX_COUNT)
    return count as number;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} is ${describe(value)}, expected an integer from 0 to ${MAX_COUNT}`,
  );
}

function readFlag(operation: string, name: string, value: unknown, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return Number(value);
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: ${name} is ${describe(value)}, expected true or false`,
  );
}

function layoutOf(operation: string, kind: LayoutKind, given: Record<string, unknown>): Layout {
  const { shape } = given;
  checkShape(operation, 'x', shape);
  const elements = elementCount(shape);
  if (kind === 'matrix' || kind === 'skip') {
    const columns = shape[shape.length - 1] as number;
    const rows = elementCount(shape.slice(0, -1));
    const skipRows = readCount(operation, 'skipRows', given.skipRows, rows);
    return {
      counts: { elements, rows, columns, skipElements: skipRows * columns, one: 1 },
      sizes: kind === 'matrix' ? [rows, columns] : [rows, columns, skipRows, 0],
    };
  }
  if (kind === 'prefix') {
    const columns = shape[shape.length - 1] as number;
    const rows = elementCount(shape.slice(0, -1));
    const dimensions = readCount(operation, 'dimensions', given.dimensions);
    return { counts: { elements, keptElements: rows * dimensions }, sizes: [rows, columns, dimensions] };
  }
  const axes = readAxes(operation, given.axis ?? -1, shape);
  if (kind === 'axes') {
    const parameters = elementCount(shape.filter((_, i) => hasAxis(axes, i)));
    const groups = elementCount(shape.filter((_, i) => !hasAxis(axes, i)));
    return { counts: { elements, parameters, groups }, sizes: [shape.length, axes], dims: shape };
  }
  const axis = 31 - Math.clz32(axes);
  const isOne = axes === (1 << axis) >>> 0;
  if (!isOne || (kind === 'groups' && axis === 0)) {
    throw new LayerNormError(
      'ERR_AXIS',
      `${operation}: axis is ${describe(given.axis)} of x ${formatShape(shape)}, expected the dimension of the channels` +
        (isOne ? ', which is not that of the samples' : ', an integer'),
    );
  }
  const channels = shape[axis] as number;
  const after = elementCount(shape.slice(axis + 1));
  if (kind === 'channels') {
    return { counts: { elements, channels }, sizes: [elementCount(shape.slice(0, axis)), channels, after] };
  }
  const groups = readCount(operation, 'groups', given.groups, DEFAULT_GROUPS);
  const [batch = 0] = shape;
  return {
    counts: { elements, channels, channelGroups: batch * groups },
    sizes: [batch, elementCount(shape.slice(1, axis)), channels, after, groups],
  };
}
