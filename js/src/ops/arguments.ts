import { describe, LayerNormError } from '../runtime/errors.js';
import type { HeapOwner } from '../runtime/heap.js';
import { type DType, parameterDType, readDTypeOption } from '../tensor/dtype.js';
import { HeapTensor } from '../tensor/heap_tensor.js';
import {
  elementCount,
  formatShape,
  keptAsOnes,
  readAxes,
  reducedShape,
  type Shape,
  sameShape,
} from '../tensor/shape.js';
import { checkOverlap, checkSameShape, readOutput } from '../tensor/target.js';
import { type Operand, readOperand } from '../tensor/tensor_like.js';
import { checkOptions, readFlag } from './options.js';

/** The axes of a call, checked. */
export interface Axes {
  /** The option as it was given, for error messages. */
  readonly axis: number | readonly number[];
  /** Mask of the reduced dimensions. */
  readonly mask: number;
}

/** What is computed of, and in which type, found right. */
export interface InputArguments {
  readonly operation: string;
  /** Of the engine's heaps, the one that the call runs in. */
  readonly owner: HeapOwner;
  readonly x: Operand;
  /** The type of the result. */
  readonly dtype: DType;
  /** The type that the core works on: float32 where data would have to be rounded to 16 bits before. */
  readonly computed: DType;
}

/** What the calls of an operation and of its gradient have in common, found right. */
export interface CommonArguments extends InputArguments {
  readonly axes: Axes;
  readonly rmsScaling: boolean;
  readonly gamma: Operand | undefined;
}

/**
 * Reads x and the options that say what it is.
 * @param known - one key for each option of the call
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readInput(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: { shape?: unknown; dtype?: unknown },
  known: object,
): InputArguments {
  engine.heap(operation);
  checkOptions(operation, options, known);
  const owner = HeapTensor.ownerFor(engine, value);
  const x = readOperand(operation, owner, 'x', value, options.shape, options.dtype);
  const dtype = readDTypeOption(operation, options.dtype, x.dtype);
  return { operation, owner, x, dtype, computed: x.stored === dtype ? dtype : parameterDType(dtype) };
}

/**
 * {@link readInput}, and the options that most calls have besides.
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_AXIS`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readCommonArguments(
  operation: string,
  engine: HeapOwner,
  value: unknown,
  options: { axis?: unknown; shape?: unknown; dtype?: unknown; rmsScaling?: unknown; gamma?: unknown },
  known: object,
): CommonArguments {
  const input = readInput(operation, engine, value, options, known);
  const { owner, x, dtype } = input;
  const axis = (options.axis ?? -1) as Axes['axis'];
  const axes = { axis, mask: readAxes(operation, axis, x.shape) };
  const rmsScaling = readFlag(operation, 'rmsScaling', options.rmsScaling);
  const gamma = readParameter(operation, owner, 'gamma', options.gamma, x.shape, axes, dtype);
  return { ...input, axes, rmsScaling, gamma };
}

/**
 * Reads the option `out` of a call: an array like x, that overlaps none of the inputs unless it is x or dy.
 * @param inputs - what the call reads, by name
 * @param option - the name of the option
 * @returns undefined when it is not given
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readOut(
  { operation, owner, x, dtype }: InputArguments,
  value: unknown,
  inputs: Readonly<Record<string, Operand | undefined>>,
  option = 'out',
): Operand | undefined {
  if (value === undefined || value === null) return undefined;
  const out = readOutput(operation, owner, value, dtype, x.shape, 'x', option);
  for (const name in inputs) {
    const input = inputs[name];
    if (!input) continue;
    const inPlace = name === 'x' || name === 'dy';
    checkOverlap(operation, owner.heap(operation), out, name, input, inPlace, option);
  }
  return out;
}

/**
 * Reads dy, the gradient of y: of the shape of x.
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
export function readDy({ operation, owner, x, dtype }: InputArguments, value: unknown): Operand {
  const dy = readOperand(operation, owner, 'dy', value, undefined, dtype);
  checkSameShape(operation, 'dy', dy, x.shape);
  return dy;
}

/** The type that the core works on for a gradient: what would have to be rounded to 16 bits before may be dy as well. */
export function computedWith({ computed, dtype }: InputArguments, dy: Operand): DType {
  return dy.stored === computed ? computed : parameterDType(dtype);
}

/**
 * Reads the option `outputs` of a gradient.
 * @param known - what there is
 * @param why - why there is no more, for error messages
 * @returns all when it is not given
 * @throws {@link LayerNormError} `ERR_ARGUMENT`
 */
export function readOutputs<Name extends string>(
  operation: string,
  outputs: unknown,
  known: readonly Name[],
  why = '',
): readonly Name[] {
  if (outputs === undefined || outputs === null) return known;
  if (Array.isArray(outputs) && outputs.length > 0 && outputs.every((name) => known.includes(name))) {
    return outputs;
  }
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${operation}: outputs is ${describe(outputs)}, expected one or more of ${describe(known)}${why}`,
  );
}

/**
 * {@link readOut} of a gradient: where dx is written, if that is wanted.
 * @throws {@link LayerNormError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`
 */
export function readDxOut(
  input: InputArguments,
  value: unknown,
  outputs: readonly string[],
  inputs: Readonly<Record<string, Operand | undefined>>,
): Operand | undefined {
  const out = readOut(input, value, inputs);
  if (!out || outputs.includes('dx')) return out;
  throw new LayerNormError(
    'ERR_ARGUMENT',
    `${input.operation}: out is given, expected 'dx' among outputs ${describe(outputs)}`,
  );
}

/**
 * gamma or beta: one element for each reduced position, in whichever of the three shapes that say so.
 * @param shape - the shape of x
 * @returns undefined when it is not given
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
export function readParameter(
  operation: string,
  owner: HeapOwner,
  name: string,
  value: unknown,
  shape: Shape,
  { axis, mask }: Axes,
  dtype: DType,
): Operand | undefined {
  if (value === undefined || value === null) return undefined;
  return readPositions(operation, owner, name, value, shape, { axis, mask }, dtype);
}

/**
 * {@link readParameter} of what has to be given.
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
export function readPositions(
  operation: string,
  owner: HeapOwner,
  name: string,
  value: unknown,
  shape: Shape,
  { axis, mask }: Axes,
  dtype: DType,
): Operand {
  return readSpan(operation, owner, name, value, shape, mask, dtype, () =>
    typeof axis === 'number'
      ? `the size of axis ${axis} of x ${formatShape(shape)}`
      : `the product of the sizes of axes ${formatShape(axis)} of x ${formatShape(shape)}`,
  );
}

/**
 * mean or rstd: one element for each group, in whichever of the three shapes that say so.
 * @param shape - the shape of x
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
export function readStatistic(
  operation: string,
  owner: HeapOwner,
  name: string,
  value: unknown,
  shape: Shape,
  { axis, mask }: Axes,
  dtype: DType,
): Operand {
  const where = (): string => `the number of groups of x ${formatShape(shape)} over axis ${describe(axis)}`;
  return readSpan(operation, owner, name, value, shape, ~mask, dtype, where);
}

/**
 * One element for each position in some dimensions of a shape: flat, in the shape of these dimensions, or with 1 at all others.
 * @param dimensions - mask of them
 * @param where - says what their product is, for error messages
 * @throws {@link LayerNormError} `ERR_SHAPE`, and what {@link readOperand} throws
 */
export function readSpan(
  operation: string,
  owner: HeapOwner,
  name: string,
  value: unknown,
  shape: Shape,
  dimensions: number,
  dtype: DType,
  where: () => string,
): Operand {
  const operand = readOperand(operation, owner, name, value, undefined, dtype);
  const sizes = reducedShape(shape, dimensions);
  const count = elementCount(sizes);
  if (operand.length !== count) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: ${name} has ${operand.length} elements, expected ${count}, ${where()}`,
    );
  }
  const allowed = [[count], ...(sizes.length > 0 ? [sizes] : []), keptAsOnes(shape, dimensions)];
  if (operand.shaped && !allowed.some((one) => sameShape(one, operand.shape))) {
    throw new LayerNormError(
      'ERR_SHAPE',
      `${operation}: ${name} has shape ${formatShape(operand.shape)}, expected ` +
        `${[...new Set(allowed.map(formatShape))].join(' or ')}: ${count} is ${where()}`,
    );
  }
  return operand;
}
