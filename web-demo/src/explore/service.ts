// All work on the data that are explored: reading files, every call of layernorm, and the check of its results.

import { info } from 'layernorm';
import {
  type Choice,
  elementLabel,
  type Groups,
  groupAt,
  groupLabel,
  groupsOf,
  indexIn,
  type Layout,
  layoutOf,
  parametersOf,
} from '../compute/groups.js';
import {
  callText,
  type Floats,
  narrow,
  normalize,
  normalizeForward,
  optionsOf,
  statistics,
} from '../compute/kernels.js';
import { METHODS } from '../compute/methods.js';
import { differing, movementOf } from '../compute/movement.js';
import { picturePixels } from '../compute/pixels.js';
import { type Check, checkGroups } from '../compute/reference.js';
import { reachFromZero, spreadOf } from '../compute/spread.js';
import { timeCall } from '../compute/timing.js';
import { exampleOf } from '../data/examples.js';
import iris from '../data/iris.csv?raw';
import { parseCsv } from '../parse/csv.js';
import { type Dataset, hasBatch, type Numbers, type Progress, shapeOf } from '../parse/dataset.js';
import { formatNpy } from '../parse/npy.js';
import { openFile, readable } from '../parse/open.js';
import { pictureOf } from '../parse/picture.js';
import { firstTensor, readTensor, type SafetensorsFile } from '../parse/safetensors.js';
import { type Bits, widen } from '../parse/sixteen_bit.js';
import { soundOf } from '../parse/sound.js';
import { othersFirst, type Service, transferring } from '../worker/service.js';
import { distributionsOf, type Measured, onOneAxis, type Sides } from './distributions/distribution.js';
import { Edits } from './grid/editing.js';
import type { Edited, EditRequest, GridPage, GridRequest, Moved } from './grid/protocol.js';
import type {
  CapturedSource,
  DatasetSummary,
  Finding,
  Page,
  Parameter,
  Requests,
  RunSummary,
  Settings,
  Source,
} from './protocol.js';

/** Names of an axis go to the page only up to this many; pages of samples carry theirs. */
const MAX_NAMES = 64;
/** Tensors of a file that can be chosen, at most: a list of more is of no use. */
const MAX_TENSORS = 5000;
/** The check of a result lets other requests in between slices of about this many elements. */
const SLICE_ELEMENTS = 400_000;

/** A last dimension of up to this size is drawn as a whole. */
const MAX_RUN = 8;

interface Result {
  readonly run: number;
  readonly settings: Settings;
  readonly groups: Groups;
  readonly gamma: Floats | undefined;
  readonly beta: Floats | undefined;
  readonly y: Floats;
  /** y as it was computed, where it is of 16 bits. */
  readonly yBits: Bits | undefined;
  readonly mean: Floats;
  readonly rstd: Floats;
  readonly scale: Floats;
  readonly meanAfter: Floats;
  readonly scaleAfter: Floats;
  readonly reach: number;
}

/** A call beside the chosen one, of the same data. */
interface Contrast {
  readonly key: string;
  readonly layout: Layout;
  readonly y: Floats;
  readonly mean: Floats;
  readonly scale: Floats;
}

/** What there was before the last change. */
interface Past {
  readonly x: Floats;
  readonly y: Floats;
  readonly contrast: Contrast;
}

let dataset: Dataset | undefined;
/** The file that the data are a tensor of. */
let container: SafetensorsFile | undefined;
let edits: Edits | undefined;
let past: Past | undefined;
let contrast: Contrast | undefined;
let result: Result | undefined;
let runs = 0;
let deviationsOf: { readonly run: number; readonly sides: Sides<Deviation> } | undefined;

export const service: Service<Requests, Finding> = {
  open: (source, { progress }) => open(source, progress),
  run,
  next,
  page: (asked) => result && page(asked),
  grid: (asked) => result && grid(asked),
  edit,
  examine: ({ run }, { notify }) => examine(run, notify),
  save({ run }) {
    const { y, yBits, shape } = currentRun(run);
    return formatNpy(y, shape, yBits);
  },
  values: ({ run }) => (result?.run === run && dataset ? Float64Array.from(dataset.data) : undefined),
  savePicture({ run }) {
    const { x, y, shape, reach } = currentRun(run);
    const { after, width, height } = picturePixels(x, y, shape, reach, Number.POSITIVE_INFINITY);
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')?.putImageData(new ImageData(after, width, height), 0, 0);
    return canvas.convertToBlob({ type: 'image/png' });
  },
  distribution({ run, group }) {
    return result?.run === run ? distributionsOf(measured(group)) : undefined;
  },
  distributions({ run, from, count }) {
    if (result?.run !== run) return undefined;
    const { groups, axes } = current();
    const sides = Array.from({ length: count }, (_, i) => measured(from + i));
    return {
      labels: sides.map((_, i) => groupLabel(groups, axes, from + i)),
      before: onOneAxis(sides.map(({ before }) => before)),
      after: onOneAxis(sides.map(({ after }) => after)),
    };
  },
  picture({ longestSide }) {
    if (!result) return undefined;
    const { x, y, shape, reach } = current();
    const gives = picturePixels(x, y, shape, reach, longestSide);
    return transferring(gives, [gives.before.buffer, gives.after.buffer]);
  },
};

/** The data that was read last takes the place of the one before only if it can be read. */
async function open(source: Source, onProgress: Progress): Promise<DatasetSummary> {
  const opened = await read(source, onProgress);
  dataset = opened.dataset;
  container = opened.container;
  result = edits = past = contrast = undefined;
  return summaryOf(opened);
}

/** What the page is told of data. */
function summaryOf({ dataset, container, tensor }: Opened): DatasetSummary {
  const { data, bits, axes, name, kind, notes } = dataset;
  const isDouble = data instanceof Float64Array;
  const tensors = container?.tensors.slice(0, MAX_TENSORS);
  return {
    name,
    kind,
    notes: [
      ...(container ? [`${container.tensors[tensor ?? 0]?.name}, ${ofMany(container)}.`] : []),
      ...notes,
      ...(bits?.dtype === 'bfloat16'
        ? ['NumPy has no bfloat16: y is saved as float32, with the same numbers.']
        : []),
    ],
    axes: axes.map(({ names, ...axis }) => (names && names.length <= MAX_NAMES ? { ...axis, names } : axis)),
    elements: data.length,
    stored: bits?.dtype ?? typeName(data),
    computed: bits?.dtype ?? (isDouble ? 'float64' : 'float32'),
    ...(tensors ? { tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })) } : {}),
    ...(tensor === undefined ? {} : { tensor }),
  };
}

/** What a tensor is one of. */
function ofMany({ tensors }: SafetensorsFile): string {
  if (tensors.length === 1) return 'the only tensor of the file';
  const listed =
    tensors.length > MAX_TENSORS ? `, the first ${MAX_TENSORS.toLocaleString('en')} of which are listed` : '';
  return `one of ${tensors.length.toLocaleString('en')} tensors${listed}`;
}

interface Opened {
  readonly dataset: Dataset;
  readonly container?: SafetensorsFile;
  readonly tensor?: number;
}

async function read(source: Source, onProgress: Progress): Promise<Opened> {
  switch (source.kind) {
    case 'example':
      if (source.name !== 'iris') return { dataset: exampleOf(source.name) };
      return { dataset: { ...parseCsv(iris, 'Fisher’s Iris flowers'), notes: [] } };
    case 'numbers':
      return { dataset: linked(source) };
    case 'text':
      return { dataset: parseCsv(source.text, 'Pasted numbers', onProgress) };
    case 'file': {
      const opened = await openFile(source.file, onProgress);
      return 'tensors' in opened ? readFrom(opened, firstTensor(opened)) : { dataset: opened };
    }
    case 'tensor':
      if (!container) throw new Error('There is no file open that holds tensors.');
      return readFrom(container, source.index);
    case 'camera':
    case 'microphone':
      return { dataset: captured(source) };
  }
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
} as const;

function linked({ numbers, example }: Extract<Source, { kind: 'numbers' }>): Dataset {
  const { shape, type, isPicture, values } = numbers;
  const data = ARRAYS[type].from(values) as Numbers;
  const base = example === undefined || example === 'iris' ? undefined : exampleOf(example);
  if (base && shapeOf(base).join() === shape.join()) {
    return { ...base, data, notes: ['Changed: the numbers are those of the link.'] };
  }
  const axes = shape.map((size) => ({ size }));
  return { name: 'Numbers of the link', kind: isPicture ? 'picture' : 'npy', axes, data, notes: [] };
}

function captured(source: CapturedSource): Dataset {
  if (source.kind === 'microphone') return soundOf(source.spectrogram);
  return pictureOf(source.pixels, 'Camera', { isColour: true, isMirrored: source.isMirrored });
}

/** On an error data and result before stay. */
function next({ source, settings }: Requests['next']['takes']): Requests['next']['gives'] {
  const before = dataset;
  dataset = captured(source);
  try {
    const summary = run(settings);
    container = edits = undefined;
    return { dataset: summaryOf({ dataset }), summary };
  } catch (error) {
    dataset = before;
    throw error;
  }
}

async function readFrom(container: SafetensorsFile, tensor: number): Promise<Opened> {
  try {
    return { dataset: await readTensor(container, tensor), container, tensor };
  } catch (error) {
    throw readable(error);
  }
}

/** Normalizes the data. On an error the result before stays. */
function run(settings: Settings): RunSummary {
  const summary = normalizeAll(settings);
  past = undefined;
  return summary;
}

function normalizeAll(settings: Settings): RunSummary {
  if (!dataset) throw new Error('There is no data to normalize.');
  const { data: x, bits } = dataset;
  const shape = shapeOf(dataset);
  const { method } = settings;
  const layout = layoutOf(shape, settings, hasBatch(dataset));
  const isDouble = x instanceof Float64Array;
  const gamma = expand(settings.gamma, parametersOf(layout), isDouble);
  const beta = expand(settings.beta, parametersOf(layout), isDouble);
  const options = optionsOf(shape, settings, hasBatch(dataset), gamma, beta, bits?.dtype);

  // This checks every argument, so what follows cannot meet a wrong one.
  const { y: computed, mean, rstd } = normalizeForward(method, bits?.array ?? x, options);
  const yBits = bits && { dtype: bits.dtype, array: computed as Uint16Array<ArrayBuffer> };
  const y = yBits ? widen(yBits) : (computed as Floats);
  const scratch = new (isDouble ? Float64Array : Float32Array)(y.length) as Floats;

  const groups = groupsOf(layout);
  const before = statistics(method, x, layout, scratch);
  const after = statistics(method, y, layout, scratch);
  const reach = reachFromZero(y);
  runs++;
  contrast = undefined;
  result = {
    run: runs,
    settings,
    groups,
    gamma,
    beta,
    y,
    yBits,
    mean: mean ?? before.mean,
    rstd,
    scale: before.scale,
    meanAfter: after.mean,
    scaleAfter: after.scale,
    reach,
  };

  const { version, variant, threads, reason } = info();
  return {
    run: runs,
    settings,
    groups: groups.count,
    size: groups.size,
    call: callText(method, options),
    before: spreadOf(x),
    after: spreadOf(y),
    reach,
    engine: { version, variant, threads, ...(reason ? { reason } : {}) },
    bytes: (bits?.array ?? x).byteLength + computed.byteLength,
  };
}

function expand(parameter: Parameter, size: number, isDouble: boolean): Floats | undefined {
  if (parameter === undefined) return undefined;
  const make = isDouble ? Float64Array : Float32Array;
  return typeof parameter === 'number' ? new make(size).fill(parameter) : make.from(parameter);
}

/** Compares a result with the reference and then times the call that made it, unless there is a newer one by then. */
async function examine(run: number, notify: (finding: Finding) => void): Promise<undefined> {
  const checked = result;
  if (!dataset || checked?.run !== run) return;
  const { data: x, bits } = dataset;
  const { groups, y, gamma, beta, settings } = checked;
  const { method, epsilon } = settings;
  const perSlice = Math.max(1, Math.floor(SLICE_ELEMENTS / groups.size));
  let found: Check = { absolute: 0, ulp: 0, notFinite: 0 };
  for (let from = 0; from < groups.count; from += perSlice) {
    await othersFirst();
    if (result !== checked) return;
    const to = Math.min(from + perSlice, groups.count);
    found = checkGroups({ method, x, y, dtype: bits?.dtype, groups, epsilon, gamma, beta }, from, to, found);
    notify({ kind: 'checked', run, fraction: to / groups.count, check: found });
  }
  await othersFirst();
  if (result !== checked) return;
  const isDouble = y instanceof Float64Array;
  const out = new (bits ? Uint16Array : isDouble ? Float64Array : Float32Array)(y.length);
  const options = {
    ...optionsOf(shapeOf(dataset), settings, hasBatch(dataset), gamma, beta, bits?.dtype),
    out,
  };
  const timing = timeCall(() => {
    normalize(method, bits?.array ?? x, options);
  });
  notify({ kind: 'timed', run, timing });
}

function current(): Result & { x: Dataset['data']; shape: number[]; axes: Dataset['axes'] } {
  if (!dataset || !result) throw new Error('Nothing has been normalized yet.');
  return { ...result, x: dataset.data, shape: shapeOf(dataset), axes: dataset.axes };
}

/** A group before and after, with the mean and the standard deviation that the kernel computes of it. */
function measured(group: number): Sides<Measured> {
  const { x, y, groups } = current();
  const { before, after } = deviations();
  const side = (values: Numbers, { mean, scale }: Deviation): Measured => ({
    values,
    start: groups.starts[group] as number,
    offsets: groups.offsets,
    mean: mean[group] as number,
    std: scale[group] as number,
  });
  return { before: side(x, before), after: side(y, after) };
}

type Deviation = ReturnType<typeof statistics>;

/** Of the current result. A method that divides by something else has its standard deviations computed when they are asked for. */
function deviations(): Sides<Deviation> {
  const { x, y, groups, settings, ...rest } = current();
  if (METHODS[settings.method].scale === 'std') {
    return {
      before: { mean: rest.mean, scale: rest.scale },
      after: { mean: rest.meanAfter, scale: rest.scaleAfter },
    };
  }
  if (deviationsOf?.run !== rest.run) {
    const scratch = new (x instanceof Float64Array ? Float64Array : Float32Array)(y.length) as Floats;
    const sides = {
      before: statistics('layer', x, groups, scratch),
      after: statistics('layer', y, groups, scratch),
    };
    deviationsOf = { run: rest.run, sides };
  }
  return deviationsOf.sides;
}

/** The result that is asked for, unless there is another one by now. */
function currentRun(run: number): ReturnType<typeof current> {
  const result = current();
  if (run !== result.run) throw new Error('There is another result by now.');
  return result;
}

function contrastWith(choice: Choice): Contrast {
  const { x, shape, settings } = current();
  const key = JSON.stringify(choice);
  if (contrast?.key === key) return contrast;
  const isBatch = dataset === undefined || hasBatch(dataset);
  const bits = dataset?.bits;
  const { method } = choice;
  const layout = layoutOf(shape, choice, isBatch);
  const chosen = { ...choice, epsilon: settings.epsilon };
  const options = optionsOf(shape, chosen, isBatch, undefined, undefined, bits?.dtype);
  const computed = normalize(method, bits?.array ?? x, options);
  const y = bits ? widen({ ...bits, array: computed as object as Uint16Array<ArrayBuffer> }) : computed;
  const scratch = new (y instanceof Float64Array ? Float64Array : Float32Array)(y.length) as Floats;
  contrast = { key, layout, y, ...statistics(method, x, layout, scratch) };
  return contrast;
}

function grid(asked: GridRequest): GridPage {
  const { run, x, y, shape, groups, mean, scale } = current();
  const { from, size, offsets } = asked;
  const beside = contrastWith(asked.contrast);
  const samples = Math.max(0, Math.min(asked.count, x.length / size - from));
  const places = Array.from({ length: samples }, (_, s) =>
    offsets.map((offset) => (from + s) * size + offset),
  ).flat();
  const all = shape.map((_, d) => d);
  const indices = places.map((at) => indexIn(shape, all, at));
  const cells = (values: ArrayLike<number>) => Float64Array.from(places, (at) => values[at] as number);
  const shared = (layout: Layout, values: Floats) =>
    Float64Array.from(indices, (index) => values[groupAt(layout, index).group] as number);
  return {
    run,
    from,
    samples,
    x: cells(x),
    y: cells(y),
    contrast: cells(beside.y),
    mean: shared(groups, mean),
    scale: shared(groups, scale),
    contrastMean: shared(beside.layout, beside.mean),
    contrastScale: shared(beside.layout, beside.scale),
    moved: movedSince(past, beside, size, places),
  };
}

/** Compares with what there was before the last change, unless another call stood beside it. */
function movedSince(
  before: Past | undefined,
  beside: Contrast,
  size: number,
  places: readonly number[],
): Moved | undefined {
  const { y } = current();
  if (!before || !edits || before.contrast.key !== beside.key) return undefined;
  const of = (a: Floats, b: Floats) => {
    const differs = differing(a, b);
    return { whole: movementOf(a, b, size), cells: Uint8Array.from(places, (at) => Number(differs(at))) };
  };
  const moved = {
    x: of(before.x, edits.data),
    y: of(before.y, y),
    contrast: of(before.contrast.y, beside.y),
  };
  return {
    x: moved.x.whole,
    y: moved.y.whole,
    contrast: moved.contrast.whole,
    cells: { x: moved.x.cells, y: moved.y.cells, contrast: moved.contrast.cells },
  };
}

function edit({ change, goesOn, grid: asked }: EditRequest): Edited {
  const { settings, y } = current();
  if (!dataset) throw new Error('There is no data to change.');
  const pastBefore = past;
  if (!edits) {
    edits = new Edits(dataset.data);
    // What is changed is no longer of 16 bits.
    dataset = { ...dataset, data: edits.data, bits: undefined };
  }
  const before = edits.data.slice() as Floats;
  if (!goesOn || !past) past = { x: before, y, contrast: contrastWith(asked.contrast) };
  edits.apply(change, asked.size, goesOn);
  const { bits } = dataset;
  try {
    // What is typed is rounded to the type of the data, as all of them have been.
    if (bits) {
      const rounded = narrow(edits.data, bits.dtype);
      dataset = { ...dataset, bits: rounded };
      edits.data.set(widen(rounded));
    }
    const summary = normalizeAll(settings);
    const page = grid(asked);
    return { summary, stored: bits?.dtype ?? typeName(edits.data), page, history: edits.history };
  } catch (error) {
    edits.data.set(before);
    if (bits) dataset = { ...dataset, bits };
    past = pastBefore;
    throw error;
  }
}

function typeName(numbers: Dataset['data']): string {
  return numbers.constructor.name.replace('Array', '').toLowerCase();
}

function page({ from, count, positions: most, around }: Requests['page']['takes']): Page {
  const { x, y, axes, groups, gamma, beta, ...rest } = current();
  const chosen = Array.from(
    { length: Math.max(0, Math.min(count, groups.count - from)) },
    (_, i) => from + i,
  );
  const spread = spreadPositions(groups, most);
  const positions =
    around === undefined || spread.includes(around) ? spread : neighbours(around, groups.size, most);
  const cells = (values: ArrayLike<number>, starts: Uint32Array, offsets: Uint32Array): Float64Array =>
    Float64Array.from(
      chosen.flatMap((g) =>
        positions.map((p) => values[(starts[g] as number) + (offsets[p] as number)] as number),
      ),
    );
  const elements = (values: ArrayLike<number>) => cells(values, groups.starts, groups.offsets);
  const parameters = (values: ArrayLike<number>) =>
    cells(values, groups.parameterStarts, groups.parameterOffsets);
  const pick = (values: Floats): number[] => chosen.map((g) => values[g] as number);
  const labelsIn = (group: number | undefined) => positions.map((p) => elementLabel(groups, axes, p, group));
  return {
    run: rest.run,
    from,
    labels: chosen.map((g) => groupLabel(groups, axes, g)),
    before: { mean: pick(rest.mean), scale: pick(rest.scale) },
    after: { mean: pick(rest.meanAfter), scale: pick(rest.scaleAfter) },
    rstd: pick(rest.rstd),
    positions,
    positionLabels: labelsIn(undefined),
    ownLabels: rest.settings.method === 'group' ? chosen.map(labelsIn) : undefined,
    x: elements(x),
    y: elements(y),
    gamma: gamma && parameters(gamma),
    beta: beta && parameters(beta),
  };
}

/** Positions around one of them. */
function neighbours(around: number, size: number, most: number): number[] {
  const first = Math.max(0, Math.min(around - (most >> 1), size - most));
  return Array.from({ length: Math.min(most, size) }, (_, i) => first + i);
}

/** All positions, or some at even distances. A short last dimension, such as colours, stays together. */
function spreadPositions({ shape, reduced, size }: Groups, most: number): number[] {
  const last = shape[reduced.at(-1) ?? 0] ?? 1;
  const run = last <= MAX_RUN ? last : 1;
  const runs = size / run;
  const drawn = Math.min(runs, Math.floor(most / run));
  return Array.from(
    { length: drawn * run },
    (_, i) => Math.floor((Math.floor(i / run) * runs) / drawn) * run + (i % run),
  );
}
