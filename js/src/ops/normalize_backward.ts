import { CORE_DTYPE, type CoreModule } from '../runtime/core_module.js';
import type { HeapOwner } from '../runtime/heap.js';
import type { Block } from '../tensor/blocks.js';
import { gradientParts, type Part, passThrough } from '../tensor/passage.js';
import { reducedShape, type Shape } from '../tensor/shape.js';
import { produce, type Target } from '../tensor/target.js';
import type { Operand } from '../tensor/tensor_like.js';
import {
  type CommonArguments,
  computedWith,
  readCommonArguments,
  readDxOut,
  readDy,
  readOutputs,
  readStatistic,
} from './arguments.js';
import type { Statistic } from './normalize.js';
import { readEpsilon } from './options.js';

/** What the gradients of these operations can compute. */
export type Gradient = 'dx' | 'dgamma' | 'dbeta';

/** All of them, in the order of the results. */
export const GRADIENTS: readonly Gradient[] = ['dx', 'dgamma', 'dbeta'];

/** Why there is no dbeta with `rmsScaling`. */
const NO_OFFSET = ': scaling without centring has no offset';

/** Where the arrays of a call lie; 0 for those that are absent. */
export type GradientAddresses = Readonly<Record<Statistic | Gradient | 'dy' | 'x' | 'gamma', number>>;

/** The gradient of an operation that normalizes groups, as the functions below see it. */
export interface NormalizationGradient {
  /** Every option once. One that is missing here is refused, so that it is not looked for. */
  readonly optionNames: object;
  readonly gradients: readonly Gradient[];
  /** Whether there is a mean. */
  readonly hasMean: boolean;
  /** The default of the option, 0 where there is none. */
  readonly epsilon: number;
  /** Bytes that {@link backward} needs besides, for the same dimensions. */
  workspace(core: CoreModule, dtype: number, dims: number, rank: number, axes: number): number;
  /**
   * Calls the core, see {@link CoreModule.layerNormBackward}.
   * @param block - workspace, workspaceBytes, dims, rank, axes
   * @param part - firstGroup, last
   */
  backward(
    core: CoreModule,
    dtype: number,
    at: GradientAddresses,
    block: readonly [number, number, number, number, number],
    call: { readonly common: CommonArguments; readonly epsilon: number },
    part: readonly [number, boolean],
  ): number;
}

/** The options of all these gradients, not yet checked. */
interface BackwardOptions {
  mean?: unknown;
  rstd?: unknown;
  gamma?: unknown;
  axis?: unknown;
  epsilon?: unknown;
  shape?: unknown;
  rmsScaling?: unknown;
  dtype?: unknown;
  outputs?: unknown;
  out?: unknown;
}

/** The gradients that a call asks for. */
export function differentiateOn(
  of: NormalizationGradient,
  operation: string,
  engine: HeapOwner,
  dy: unknown,
  x: unknown,
  options: BackwardOptions | undefined,
): object {
  const call = readCall(of, operation, engine, dy, x, options ?? {});
  const { owner, x: like, dtype, axes } = call.common;
  const sizes = reducedShape(like.shape, axes.mask);
  const wanted: Partial<Record<Gradient, Shape | Operand>> = {};
  for (const name of call.outputs) wanted[name] = name === 'dx' ? (call.out ?? like.shape) : sizes;
  return produce(operation, owner, like, dtype, wanted, (targets) => differentiate(call, targets));
}

/** A call whose arguments have been found right: only memory can be missing now. */
interface Call {
  readonly of: NormalizationGradient;
  readonly common: CommonArguments;
  readonly dy: Operand;
  readonly mean: Operand | undefined;
  readonly rstd: Operand;
  readonly epsilon: number;
  readonly outputs: readonly Gradient[];
  readonly out: Operand | undefined;
}

function readCall(
  of: NormalizationGradient,
  operation: string,
  engine: HeapOwner,
  dyValue: unknown,
  xValue: unknown,
  options: BackwardOptions,
): Call {
  const common = readCommonArguments(operation, engine, xValue, options, of.optionNames);
  const { owner, x, dtype, axes, gamma } = common;
  const dy = readDy(common, dyValue);
  const statistic = (name: Statistic): Operand =>
    readStatistic(operation, owner, name, options[name], x.shape, axes, dtype);
  const mean = of.hasMean ? statistic('mean') : undefined;
  const rstd = statistic('rstd');
  const epsilon = readEpsilon(operation, options.epsilon, of.epsilon);
  const outputs = common.rmsScaling
    ? readOutputs(operation, options.outputs, withoutOffset(of.gradients), NO_OFFSET)
    : readOutputs(operation, options.outputs, of.gradients);
  const out = readDxOut(common, options.out, outputs, { dy, x, mean, rstd, gamma });
  return { of, common, dy, mean, rstd, epsilon, outputs, out };
}

function withoutOffset(gradients: readonly Gradient[]): readonly Gradient[] {
  return gradients.filter((name) => name !== 'dbeta');
}

function differentiate(call: Call, { dx, dgamma, dbeta }: Partial<Record<Gradient, Target>>): void {
  const { of } = call;
  const { operation, owner, x, axes, gamma } = call.common;
  const dtype = computedWith(call.common, call.dy);
  const heap = owner.heap(operation);
  const { core } = heap;
  if (x.length === 0) {
    // No groups to sum over.
    dgamma?.elements(heap).fill(0);
    dbeta?.elements(heap).fill(0);
    return;
  }
  const parts: Part[] = [
    ...gradientParts(call.dy, x, dx),
    { per: 'group', input: call.mean, output: undefined },
    { per: 'group', input: call.rstd, output: undefined },
    { per: 'position', input: gamma, output: undefined },
    { per: 'position', input: undefined, output: dgamma },
    { per: 'position', input: undefined, output: dbeta },
  ];
  const workspaceOf = ({ dims, axes: mask }: Block): number => {
    heap.writeDims(dims);
    return of.workspace(core, CORE_DTYPE[dtype], heap.dims, dims.length, mask);
  };
  passThrough(
    operation,
    heap,
    dtype,
    x.shape,
    axes.mask,
    parts,
    (block, from, to, last, workspace, workspaceBytes) =>
      of.backward(
        core,
        CORE_DTYPE[dtype],
        {
          dy: from[0] as number,
          x: from[1] as number,
          mean: from[2] as number,
          rstd: from[3] as number,
          gamma: from[4] as number,
          dx: (to[0] || to[1]) as number,
          dgamma: to[5] as number,
          dbeta: to[6] as number,
        },
        [workspace, workspaceBytes, heap.dims, block.dims.length, block.axes],
        call,
        [block.firstGroup, last],
      ),
    workspaceOf,
  );
}
