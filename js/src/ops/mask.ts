import { LayerNormError } from '../runtime/errors.js';
import type { Heap } from '../runtime/heap.js';
import type { DType, NumericArray } from '../tensor/dtype.js';
import { aligned, type Part, passThrough } from '../tensor/passage.js';
import { eachIndex, elementCount, formatShape, type Shape } from '../tensor/shape.js';
import { type NestedArray, type Operand, readOperand, type TensorLike } from '../tensor/tensor_like.js';
import { allButChannels, type ChannelArguments } from './channels.js';

/** Arrays of arrays of ... booleans. */
export type NestedMask = readonly (boolean | NestedMask)[];

/** Which elements count: `true`, or any number but 0, for those that do. */
export type MaskLike = TensorLike | NestedMask;

/** A mask of x [outer, channels, inner], as bytes. */
export class Mask {
  /** One for each combination of indices of all dimensions but the last. */
  readonly #bytes: Uint8Array;
  /** Elements of x in a row that share a byte. */
  readonly #run: number;
  readonly #outer: number;
  /** Bytes of one channel at one outer index; 0 where all channels share one. */
  readonly #perChannel: number;
  /** Whether neighbouring elements are of different channels and may differ: the core takes that for single channels only. */
  readonly oneByOne: boolean;

  constructor(bytes: Uint8Array, { outer, inner, x, channelAxis }: ChannelArguments) {
    const run = x.shape.at(-1) as number;
    this.#bytes = bytes;
    this.#run = run;
    this.#outer = outer;
    this.#perChannel = channelAxis === x.shape.length - 1 ? 0 : inner / run;
    this.oneByOne = this.#perChannel > 0 && inner === 1;
  }

  /** How many bytes the mask of some channels has. */
  bytesOf(channels: number): number {
    return this.#outer * (channels * this.#perChannel || 1);
  }

  /** How many elements of x, cut down to some channels, share a byte. */
  runOf(channels: number): number {
    return this.#perChannel === 0 ? channels : this.#run;
  }

  /** Writes the mask of the channels from `first` on to `heap[address]` and what follows. */
  write(heap: Heap, address: number, first: number, channels: number): void {
    const target = new Uint8Array(heap.memory.buffer, address, this.bytesOf(channels));
    if (target.length === this.#bytes.length) {
      target.set(this.#bytes);
      return;
    }
    const piece = channels * this.#perChannel;
    const stride = this.#bytes.length / this.#outer;
    for (let i = 0; i < this.#outer; i++) {
      const start = i * stride + first * this.#perChannel;
      target.set(this.#bytes.subarray(start, start + piece), i * piece);
    }
  }
}

/**
 * Reads the option `mask`.
 * @returns undefined when it is not given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readMask(common: ChannelArguments, value: unknown): Mask | undefined {
  if (value === undefined || value === null) return undefined;
  const { operation, x } = common;
  const mask = readOperand(operation, undefined, 'mask', numbersOfMask(value));
  const shape = x.shape.slice(0, -1);
  const count = elementCount(shape);
  if (mask.shaped) {
    const fits =
      mask.shape.length === shape.length && mask.shape.every((size, i) => size === 1 || size === shape[i]);
    if (!fits) {
      throw new LayerNormError(
        'ERR_SHAPE',
        `${operation}: mask has shape ${formatShape(mask.shape)}, expected ${formatShape(shape)}, or 1 for any of these sizes. ` +
          `The mask provided should be one dimension less than x ${formatShape(x.shape)}`,
      );
    }
  } else if (mask.length !== count) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: mask has ${mask.length} elements, expected ${count}, as x ${formatShape(x.shape)} has without its last dimension`,
    );
  }
  return new Mask(expandMask(mask, mask.shaped ? mask.shape : shape, shape), common);
}

/**
 * One byte for each index of some dimensions: 1 where the mask is not 0.
 * @param mask - read without a heap
 * @param sizes - its shape, in which 1 stands for the whole of a dimension
 */
export function expandMask(mask: Operand, sizes: Shape, dims: Shape): Uint8Array {
  const elements = mask.data as NumericArray;
  const bytes = new Uint8Array(elementCount(dims));
  const steps = sizes.map((size, i) => (size === 1 ? 0 : elementCount(sizes.slice(i + 1))));
  eachIndex(dims, steps, (from, index) => {
    if (elements[from] !== 0) bytes[index] = 1;
  });
  return bytes;
}

/** A mask with 0 and 1 for booleans, which are no elements of tensors. */
export function numbersOfMask(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item) =>
      typeof item === 'boolean' ? Number(item) : numbersOfMask(item),
    ) as NestedArray;
  }
  if (typeof value !== 'object' || value === null) return value;
  const { data, dims, shape } = value as { data?: unknown; dims?: unknown; shape?: unknown };
  return Array.isArray(data) ? { data: numbersOfMask(data), shape: dims ?? shape } : value;
}

/**
 * A call of the core on some channels of x.
 * @param from - where the part of each number is read
 * @param to - where it is written
 * @param mask - address of the bytes that say which elements count; 0 when all do
 * @param maskRun - how many elements in a row share a byte
 * @returns a status
 */
export type ChannelKernel = (
  from: readonly number[],
  to: readonly number[],
  channels: number,
  mask: number,
  maskRun: number,
  workspace: number,
  workspaceBytes: number,
) => number;

/**
 * Runs a kernel over x wherever it lies, in blocks of whole channels. The mask of a block lies in front of its workspace.
 * @param parts - the arrays; a group is a channel
 * @param workspaceOf - bytes that the kernel needs besides, for a number of channels
 * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`, with nothing written
 */
export function passChannels(
  common: ChannelArguments,
  dtype: DType,
  parts: readonly Part[],
  mask: Mask | undefined,
  workspaceOf: (channels: number) => number,
  kernel: ChannelKernel,
): void {
  const { operation, owner, x } = common;
  const heap = owner.heap(operation);
  let maskBytes = 0;
  passThrough(
    operation,
    heap,
    dtype,
    x.shape,
    allButChannels(common),
    parts,
    ({ firstGroup, groups }, from, to, _, workspace, bytes) => {
      mask?.write(heap, workspace, firstGroup, groups);
      const [at, run] = mask ? [workspace, mask.runOf(groups)] : [0, 1];
      return kernel(from, to, groups, at, run, workspace + maskBytes, bytes - maskBytes);
    },
    ({ groups }) => {
      maskBytes = mask ? aligned(mask.bytesOf(groups)) : 0;
      return maskBytes + workspaceOf(groups);
    },
    mask?.oneByOne,
  );
}
