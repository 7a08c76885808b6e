import { LayerNormError, type LayerNormErrorCode } from './errors.js';

/** The element types that results have. Those of 16 bits are computed in float32. */
export type DType = 'float32' | 'float64' | 'float16' | 'bfloat16';

/** The element types, numbered as the bindings number them. */
export const CORE_DTYPE: Readonly<Record<DType, number>> = {
  float32: 0,
  float64: 1,
  float16: 2,
  bfloat16: 3,
};

/** Bytes of one page of WebAssembly memory. */
export const PAGE_BYTES = 65536;

/** What the module declares as its initial memory: 1 MiB. Must equal INITIAL_MEMORY of the linker, in pages. */
export const INITIAL_PAGES = 16;

/** What 32-bit addresses reach: 4 GiB. */
export const MAXIMUM_PAGES = 65536;

/** What a kernel answers when it did its work. The other values, their codes and their texts live in the core. */
const STATUS_OK = 0;

/**
 * The functions that the bindings register, as TypeScript sees them. Addresses are byte offsets into the memory, unsigned;
 * 0 stands for an absent array.
 */
export interface CoreModule {
  /** @returns an address aligned to 64 bytes, or 0 when the memory cannot grow that far */
  allocate(bytes: number): number;
  release(address: number): void;
  /** @returns bytes that {@link layerNormForward} needs besides, for the same dimensions; 2^32 - 1 for all that is more */
  layerNormForwardWorkspace(dtype: number, dims: number, rank: number, axes: number): number;
  /**
   * @param dtype - a value of {@link CORE_DTYPE}: the type of x and y, and of all else where it has not 16 bits: that is float32 then
   * @param x - address of the input, row-major
   * @param y - address of the output; may equal `x`
   * @param gamma - address of one factor per reduced position, or 0
   * @param beta - address of one summand per reduced position, or 0
   * @param mean - address for one mean per group, or 0
   * @param rstd - address for one 1 / sqrt(variance + epsilon) per group, or 0
   * @param workspace - address, aligned to 8 bytes, of memory for types of 16 bits; or 0
   * @param workspaceBytes - its size, at least {@link layerNormForwardWorkspace}
   * @param dims - address of `rank` sizes as uint32
   * @param rank - number of dimensions, 1 to 32
   * @param axes - bit i stands for dimension i, set where it is reduced
   * @param epsilon - added to the variance
   * @param rmsScaling - whether x is scaled without being centred
   * @returns a status, 0 when all is well
   */
  layerNormForward(
    dtype: number,
    x: number,
    y: number,
    gamma: number,
    beta: number,
    mean: number,
    rstd: number,
    workspace: number,
    workspaceBytes: number,
    dims: number,
    rank: number,
    axes: number,
    epsilon: number,
    rmsScaling: boolean,
  ): number;
  /** @returns bytes that {@link layerNormBackward} needs besides, for the same dimensions; 2^32 - 1 for all that is more */
  layerNormBackwardWorkspace(dtype: number, dims: number, rank: number, axes: number): number;
  /**
   * The gradient of {@link layerNormForward}, for x as a whole or for some of its groups at a time, in their order.
   * @param dtype - a value of {@link CORE_DTYPE}: the type of dy, x and dx, and of all else where it has not 16 bits: that is float32 then
   * @param dy - address of the gradient of y
   * @param x - address of what was normalized
   * @param mean - address of one mean per group
   * @param rstd - address of one 1 / sqrt(variance + epsilon) per group
   * @param gamma - address of one factor per reduced position, or 0
   * @param dx - address for the gradient of x, may equal `dy` or `x`; or 0
   * @param dgamma - address for the gradient of gamma, written by the last call; or 0
   * @param dbeta - address for the gradient of beta, written by the last call; or 0
   * @param workspace - address, aligned to 8 bytes, of what keeps the sums from call to call
   * @param workspaceBytes - its size, at least {@link layerNormBackwardWorkspace}
   * @param dims - address of `rank` sizes as uint32
   * @param rank - number of dimensions, 1 to 32
   * @param axes - bit i stands for dimension i, set where it is reduced
   * @param rmsScaling - whether x was scaled without being centred
   * @param firstGroup - how many groups previous calls had
   * @param last - whether no groups follow
   * @returns a status, 0 when all is well
   */
  layerNormBackward(
    dtype: number,
    dy: number,
    x: number,
    mean: number,
    rstd: number,
    gamma: number,
    dx: number,
    dgamma: number,
    dbeta: number,
    workspace: number,
    workspaceBytes: number,
    dims: number,
    rank: number,
    axes: number,
    rmsScaling: boolean,
    firstGroup: number,
    last: boolean,
  ): number;
  /** @returns bytes that {@link rmsNormForward} needs besides, as {@link layerNormForwardWorkspace} */
  rmsNormForwardWorkspace(dtype: number, dims: number, rank: number, axes: number): number;
  /**
   * As {@link layerNormForward}, but about zero: there is neither mean nor beta.
   * @param rstd - address for one 1 / sqrt(mean(x^2) + epsilon) per group, or 0
   * @param epsilon - added to the mean of the squares
   */
  rmsNormForward(
    dtype: number,
    x: number,
    y: number,
    gamma: number,
    rstd: number,
    workspace: number,
    workspaceBytes: number,
    dims: number,
    rank: number,
    axes: number,
    epsilon: number,
  ): number;
  /** @returns bytes that {@link rmsNormBackward} needs besides, as {@link layerNormBackwardWorkspace} */
  rmsNormBackwardWorkspace(dtype: number, dims: number, rank: number, axes: number): number;
  /** The gradient of {@link rmsNormForward}, its arguments as those of {@link layerNormBackward}. */
  rmsNormBackward(
    dtype: number,
    dy: number,
    x: number,
    rstd: number,
    gamma: number,
    dx: number,
    dgamma: number,
    workspace: number,
    workspaceBytes: number,
    dims: number,
    rank: number,
    axes: number,
    firstGroup: number,
    last: boolean,
  ): number;
  /**
   * Layer normalization of the rows of x [rows, cols] without parameters, of which the first elements are kept and divided by their norm.
   * @param dtype - a value of {@link CORE_DTYPE}: the type of x and y
   * @param x - address of the input
   * @param y - address of the output [rows, dimensions], which may overlap nothing of x
   * @param dimensions - how many elements of each row are kept, 1 to `cols`
   * @param epsilon - added to the variance
   * @returns a status, 0 when all is well
   */
  matryoshka(
    dtype: number,
    x: number,
    y: number,
    rows: number,
    cols: number,
    dimensions: number,
    epsilon: number,
  ): number;
  /** @returns bytes that {@link skipLayerNorm} needs besides, for the same sizes; 2^32 - 1 for all that is more */
  skipLayerNormWorkspace(dtype: number, rows: number, cols: number): number;
  /**
   * Adds up x [rows, cols], skip and bias, and normalizes the rows of the sum.
   * @param dtype - a value of {@link CORE_DTYPE}: the type of x, skip, y and sum, and of all else where it has not 16 bits: that is
   * float32 then
   * @param x - address of the input
   * @param skip - address of what is added to it [skipRows, cols]
   * @param bias - address of one summand per column, or 0
   * @param gamma - address of one factor per column, or 0
   * @param beta - address of one summand per column of what is normalized, or 0; none with `rms`
   * @param y - address of the output; may equal `x` where `sum` does not
   * @param sum - address for the sum, may equal `x`; or 0
   * @param mean - address for one mean per row, or 0; none with `rms`
   * @param rstd - address for one 1 / sqrt(variance + epsilon) per row, with `rms` 1 / sqrt(mean(sum^2) + epsilon), or 0
   * @param workspace - address, aligned to 8 bytes, of memory for types of 16 bits; or 0
   * @param workspaceBytes - its size, at least {@link skipLayerNormWorkspace}
   * @param skipRows - how many rows skip has: row n of x is added to row (firstRow + n) % skipRows
   * @param firstRow - how many rows previous calls had
   * @param epsilon - added to the variance, or to the mean of the squares
   * @param rms - whether the sum is divided by the root of the mean of its squares, without being centred
   * @returns a status, 0 when all is well
   */
  skipLayerNorm(
    dtype: number,
    x: number,
    skip: number,
    bias: number,
    gamma: number,
    beta: number,
    y: number,
    sum: number,
    mean: number,
    rstd: number,
    workspace: number,
    workspaceBytes: number,
    rows: number,
    cols: number,
    skipRows: number,
    firstRow: number,
    epsilon: number,
    rms: boolean,
  ): number;
  /** @returns bytes that {@link unitNormForward} needs besides, as {@link layerNormForwardWorkspace} */
  unitNormForwardWorkspace(dtype: number, dims: number, rank: number, axes: number): number;
  /**
   * As {@link layerNormForward}, but divided by the norm: there is no mean, and there are no parameters.
   * @param rstd - address for one 1 / max(sqrt(sum(x^2)), epsilon) per group, or 0
   * @param epsilon - the least norm that is divided by
   */
  unitNormForward(
    dtype: number,
    x: number,
    y: number,
    rstd: number,
    workspace: number,
    workspaceBytes: number,
    dims: number,
    rank: number,
    axes: number,
    epsilon: number,
  ): number;
  /** @returns bytes that {@link unitNormBackward} needs besides, as {@link layerNormBackwardWorkspace} */
  unitNormBackwardWorkspace(dtype: number, dims: number, rank: number, axes: number): number;
  /**
   * The gradient of {@link unitNormForward}, its arguments as those of {@link layerNormBackward}.
   * @param epsilon - that of the forward call: where rstd is 1 / epsilon, it is a constant
   */
  unitNormBackward(
    dtype: number,
    dy: number,
    x: number,
    rstd: number,
    dx: number,
    workspace: number,
    workspaceBytes: number,
    dims: number,
    rank: number,
    axes: number,
    epsilon: number,
    firstGroup: number,
    last: boolean,
  ): number;
  /** @returns bytes that each of the three calls below needs besides; 2^32 - 1 for all that is more */
  batchNormWorkspace(dtype: number, outer: number, channels: number, inner: number): number;
  /**
   * Statistics of the channels of x [outer, channels, inner], and x normalized by them.
   * @param dtype - a value of {@link CORE_DTYPE}: the type of x and y, and of all else where it has not 16 bits: that is float32 then
   * @param x - address of the input
   * @param y - address of the output; may equal `x`; or 0
   * @param gamma - address of one factor per channel, or 0
   * @param beta - address of one summand per channel, or 0
   * @param mean - address for one mean per channel, or 0
   * @param variance - address for one biased variance per channel, or 0
   * @param rstd - address for one 1 / sqrt(variance + epsilon) per channel, or 0
   * @param mask - address of bytes, 0 for elements of x that do not count; or 0 when all count
   * @param maskRun - how many elements of x in a row share a byte
   * @param workspace - address, aligned to 8 bytes
   * @param workspaceBytes - its size, at least {@link batchNormWorkspace}
   * @param epsilon - added to the variance
   * @returns a status, 0 when all is well
   */
  batchNormForward(
    dtype: number,
    x: number,
    y: number,
    gamma: number,
    beta: number,
    mean: number,
    variance: number,
    rstd: number,
    mask: number,
    maskRun: number,
    workspace: number,
    workspaceBytes: number,
    outer: number,
    channels: number,
    inner: number,
    epsilon: number,
  ): number;
  /**
   * As {@link batchNormForward}, by statistics that are given.
   * @param mean - address of one mean per channel
   * @param variance - address of one variance per channel
   * @param rstd - address for one 1 / sqrt(variance + epsilon) per channel, or 0
   */
  batchNormInference(
    dtype: number,
    x: number,
    y: number,
    gamma: number,
    beta: number,
    mean: number,
    variance: number,
    rstd: number,
    workspace: number,
    workspaceBytes: number,
    outer: number,
    channels: number,
    inner: number,
    epsilon: number,
  ): number;
  /**
   * The gradient of {@link batchNormForward}, or of {@link batchNormInference} where `training` is false.
   * @param dy - address of the gradient of y
   * @param x - address of what was normalized
   * @param mean - address of one mean per channel
   * @param rstd - address of one 1 / sqrt(variance + epsilon) per channel
   * @param gamma - address of one factor per channel, or 0
   * @param mask - as the forward call had it
   * @param dx - address for the gradient of x, may equal `dy` or `x`; or 0
   * @param dgamma - address for the gradient of gamma, or 0
   * @param dbeta - address for the gradient of beta, or 0
   */
  batchNormBackward(
    dtype: number,
    dy: number,
    x: number,
    mean: number,
    rstd: number,
    gamma: number,
    mask: number,
    maskRun: number,
    dx: number,
    dgamma: number,
    dbeta: number,
    workspace: number,
    workspaceBytes: number,
    outer: number,
    channels: number,
    inner: number,
    training: boolean,
  ): number;
  /**
   * Normalizes the groups of neighbouring channels of each sample of x [batch, before, channels, after].
   * @param dtype - a value of {@link CORE_DTYPE}: the type of x and y, and of all else where it has not 16 bits: that is float32 then
   * @param x - address of the input
   * @param y - address of the output; may equal `x`
   * @param gamma - address of one factor per channel, or 0
   * @param beta - address of one summand per channel, or 0
   * @param mean - address for the means [batch, groups], or 0
   * @param rstd - address for 1 / sqrt(variance + epsilon) [batch, groups], or 0
   * @param groups - a divisor of `channels`
   * @param epsilon - added to the variance
   * @returns a status, 0 when all is well
   */
  groupNormForward(
    dtype: number,
    x: number,
    y: number,
    gamma: number,
    beta: number,
    mean: number,
    rstd: number,
    batch: number,
    before: number,
    channels: number,
    after: number,
    groups: number,
    epsilon: number,
  ): number;
  /** @returns bytes that {@link groupNormBackward} needs besides, for the same sizes; 2^32 - 1 for all that is more */
  groupNormBackwardWorkspace(
    dtype: number,
    batch: number,
    before: number,
    channels: number,
    after: number,
    groups: number,
  ): number;
  /**
   * The gradient of {@link groupNormForward}, for x as a whole or for some of its samples at a time, in their order.
   * @param dy - address of the gradient of y
   * @param x - address of what was normalized
   * @param mean - address of the means [batch, groups]
   * @param rstd - address of 1 / sqrt(variance + epsilon) [batch, groups]
   * @param gamma - address of one factor per channel, or 0
   * @param dx - address for the gradient of x, may equal `dy` or `x`; or 0
   * @param dgamma - address for the gradient of gamma, written by the last call; or 0
   * @param dbeta - address for the gradient of beta, written by the last call; or 0
   * @param workspace - address, aligned to 8 bytes, of what keeps the sums from call to call
   * @param workspaceBytes - its size, at least {@link groupNormBackwardWorkspace}
   * @param first - whether no samples came before
   * @param last - whether no samples follow
   */
  groupNormBackward(
    dtype: number,
    dy: number,
    x: number,
    mean: number,
    rstd: number,
    gamma: number,
    dx: number,
    dgamma: number,
    dbeta: number,
    workspace: number,
    workspaceBytes: number,
    batch: number,
    before: number,
    channels: number,
    after: number,
    groups: number,
    first: boolean,
    last: boolean,
  ): number;
  /**
   * Mean and biased variance of the groups of x.
   * @param dtype - a value of {@link CORE_DTYPE}: the type of x, and of all else where it has not 16 bits: that is float32 then
   * @param x - address of the input, row-major
   * @param mean - address for one mean per group, or 0
   * @param variance - address for one biased variance per group, or 0
   * @param dims - address of `rank` sizes as uint32
   * @param rank - number of dimensions, 1 to 32
   * @param axes - bit i stands for dimension i, set where it is reduced
   * @returns a status, 0 when all is well
   */
  moments(
    dtype: number,
    x: number,
    mean: number,
    variance: number,
    dims: number,
    rank: number,
    axes: number,
  ): number;
  /** @returns bytes that {@link spectralNormForward} and {@link spectralNormBackward} need besides; 2^32 - 1 for all that is more */
  spectralNormWorkspace(rows: number, cols: number): number;
  /**
   * @param dtype - a value of {@link CORE_DTYPE}: the type of the kernel and of y, and of all else where it has not 16 bits: that is
   * float32 then
   * @param kernel - address of the kernel, `rows` times `cols` elements
   * @param u - address of `cols` elements
   * @param y - address for the kernel divided by sigma; may equal `kernel`
   * @param uOut - address for the new u, may equal `u`; or 0
   * @param v - address for `rows` elements, or 0
   * @param sigma - address for one element, or 0
   * @param workspace - address, aligned to 8 bytes
   * @param workspaceBytes - its size, at least {@link spectralNormWorkspace}
   * @param powerIterations - how often u is improved, 1 at least
   * @param epsilon - the least length that u and v are divided by
   * @returns a status, 0 when all is well
   */
  spectralNormForward(
    dtype: number,
    kernel: number,
    u: number,
    y: number,
    uOut: number,
    v: number,
    sigma: number,
    workspace: number,
    workspaceBytes: number,
    rows: number,
    cols: number,
    powerIterations: number,
    epsilon: number,
  ): number;
  /**
   * The gradient of {@link spectralNormForward} by the kernel.
   * @param dtype - as there: the type of dy, of the kernel and of its gradient
   * @param dy - address of the gradient of y
   * @param kernel - address of the kernel as it was before
   * @param u - address of `cols` elements, as the forward call gave them
   * @param v - address of `rows` elements, as the forward call gave them
   * @param sigma - as the forward call gave it: the number itself
   * @param dkernel - address for the gradient; may equal `dy` or `kernel`
   * @param workspace - address, aligned to 8 bytes
   * @param workspaceBytes - its size, at least {@link spectralNormWorkspace}
   * @returns a status, 0 when all is well
   */
  spectralNormBackward(
    dtype: number,
    dy: number,
    kernel: number,
    u: number,
    v: number,
    sigma: number,
    dkernel: number,
    workspace: number,
    workspaceBytes: number,
    rows: number,
    cols: number,
  ): number;
  /** @returns address of the status' {@link LayerNormErrorCode} */
  statusCode(status: number): number;
  /** @returns address of a sentence about the status */
  statusMessage(status: number): number;
  /** @returns address of the version of the package that the module was built for */
  version(): number;
}

/** A module with a memory of its own. */
export interface Instance {
  readonly core: CoreModule;
  readonly memory: WebAssembly.Memory;
}

/** What the glue takes, of everything that Emscripten would allow. */
export interface CoreFactoryOptions {
  wasmMemory: WebAssembly.Memory;
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => WebAssembly.Exports,
  ): WebAssembly.Exports;
}

/** Reads the ASCII text that ends with a zero at `address`. */
export function readText(memory: WebAssembly.Memory, address: number): string {
  const bytes = new Uint8Array(memory.buffer);
  let text = '';
  for (let i = address; bytes[i]; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/** Turns every status but 0 into the error it stands for: the one place where that happens. */
export function checkStatus(
  core: CoreModule,
  memory: WebAssembly.Memory,
  operation: string,
  status: number,
): void {
  if (status === STATUS_OK) return;
  const code = readText(memory, core.statusCode(status)) as LayerNormErrorCode;
  throw new LayerNormError(code, `${operation}: ${readText(memory, core.statusMessage(status))}`);
}
