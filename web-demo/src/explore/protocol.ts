// What the view and its service say to each other.

import type { Choice, Label } from '../compute/groups.js';
import type { Check } from '../compute/reference.js';
import type { Spread } from '../compute/spread.js';
import type { Timing } from '../compute/timing.js';
import type { ExampleName } from '../data/examples.js';
import type { Axis, Dataset } from '../parse/dataset.js';
import type { SixteenBit } from '../parse/sixteen_bit.js';
import type { Spectrogram } from '../parse/sound.js';
import type { Distribution, Sides } from './distributions/distribution.js';
import type { Edited, EditRequest, GridPage, GridRequest } from './grid/protocol.js';

/** Data that are few enough to stand in a link. */
export interface LinkedNumbers {
  readonly shape: readonly number[];
  readonly type: NumberType;
  /** A picture has no dimension that counts samples. */
  readonly isPicture: boolean;
  readonly values: readonly number[];
}

/** The types that they may have. */
export const NUMBER_TYPES = [
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

/** Where data comes from. */
export type Source =
  | { readonly kind: 'example'; readonly name: ExampleName }
  | { readonly kind: 'text'; readonly text: string }
  /** Those of a link; of an example that has been changed, what that calls its dimensions stays. */
  | { readonly kind: 'numbers'; readonly numbers: LinkedNumbers; readonly example: ExampleName | undefined }
  | { readonly kind: 'file'; readonly file: File }
  /** Another tensor of the file that is open. */
  | { readonly kind: 'tensor'; readonly index: number }
  | CapturedSource;

/** What the camera or the microphone has now. */
export type CapturedSource =
  | { readonly kind: 'camera'; readonly pixels: Pixels; readonly isMirrored: boolean }
  | { readonly kind: 'microphone'; readonly spectrogram: Spectrogram };

export type Pixels = Pick<ImageData, 'data' | 'width' | 'height'>;

/** A tensor of the file that is open. */
export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** An axis as the page needs it: names only where there are few. */
export interface DatasetSummary extends Omit<Dataset, 'data' | 'bits' | 'axes'> {
  readonly axes: readonly Axis[];
  readonly elements: number;
  /** Type of the elements as they are kept, and the type that is computed in. */
  readonly stored: string;
  readonly computed: 'float32' | 'float64' | SixteenBit;
  /** Of a file with several: all of them, and which one is open. */
  readonly tensors?: readonly TensorSummary[];
  readonly tensor?: number;
}

/** gamma or beta: none, the same number everywhere, or one for each position in a sample or each channel. */
export type Parameter = undefined | number | readonly number[];

export interface Settings extends Choice {
  readonly epsilon: number;
  readonly gamma: Parameter;
  readonly beta: Parameter;
}

export interface RunSummary {
  /** Counts the runs; everything about a run carries its number. */
  readonly run: number;
  readonly settings: Settings;
  /** How many groups of elements have statistics of their own, and how many elements each has. */
  readonly groups: number;
  readonly size: number;
  /** The call that was made, as one would write it. */
  readonly call: string;
  readonly before: Spread;
  readonly after: Spread;
  /** How far colours reach from 0 after normalization. */
  readonly reach: number;
  readonly engine: { version: string; variant: string; threads: number; reason?: string };
  /** Read and written in one call. */
  readonly bytes: number;
}

/** Statistics of some groups, all of them computed by the kernel. */
export interface Statistics {
  readonly mean: readonly number[];
  /** What the method brings to 1: the standard deviation, the root of the mean square, or the norm. */
  readonly scale: readonly number[];
}

/** Some groups in a row, with as many of their elements as are drawn. */
export interface Page {
  readonly run: number;
  readonly from: number;
  readonly labels: readonly Label[];
  readonly before: Statistics;
  readonly after: Statistics;
  /** The factor that the kernel used, such as 1 / sqrt(variance + epsilon). */
  readonly rstd: readonly number[];
  /** Which positions in a group are drawn. */
  readonly positions: readonly number[];
  /** What they are called in any group, and in each one of these, where that says more. */
  readonly positionLabels: readonly string[];
  readonly ownLabels: readonly (readonly string[])[] | undefined;
  /** Values at those positions, group by group. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Their gamma and beta. */
  readonly gamma: Float64Array | undefined;
  readonly beta: Float64Array | undefined;
}

/** A picture before and after, ready to be put on a canvas. */
export interface PictureView {
  readonly width: number;
  readonly height: number;
  /** Every how many pixels one is drawn. */
  readonly step: number;
  readonly before: Uint8ClampedArray<ArrayBuffer>;
  readonly after: Uint8ClampedArray<ArrayBuffer>;
}

/** Every kind of request, with what it takes and what it gives. */
export type Requests = {
  open: { takes: Source; gives: DatasetSummary };
  run: { takes: Settings; gives: RunSummary };
  /** Opens what the camera or the microphone has now, and normalizes it: all of it or nothing. */
  next: {
    takes: { source: CapturedSource; settings: Settings };
    gives: { dataset: DatasetSummary; summary: RunSummary };
  };
  /**
   * Where a position is asked for that is not among those at even distances, its neighbours come with it instead. As with the grid and the
   * picture, undefined while there is no result: other data have been opened, and theirs is on its way.
   */
  page: {
    takes: { from: number; count: number; positions: number; around?: number };
    gives: Page | undefined;
  };
  grid: { takes: GridRequest; gives: GridPage | undefined };
  /** Changes the data and normalizes them with the settings of the last result. On an error both are as before. */
  edit: { takes: EditRequest; gives: Edited };
  picture: { takes: { longestSide: number }; gives: PictureView | undefined };
  /** How the elements of a group lie, and those of some groups in a row on one axis; undefined when there is another result. */
  distribution: { takes: { run: number; group: number }; gives: Sides<Distribution> | undefined };
  distributions: {
    takes: { run: number; from: number; count: number };
    gives: (Sides<readonly Distribution[]> & { labels: readonly Label[] }) | undefined;
  };
  /** Compares a result with the reference and times its call; what it finds comes in replies of their own. */
  examine: { takes: { run: number }; gives: undefined };
  /** The numbers that were normalized; undefined when there is another result. */
  values: { takes: { run: number }; gives: Float64Array<ArrayBuffer> | undefined };
  /** The result as a .npy file. */
  save: { takes: { run: number }; gives: Blob };
  /** The picture after as a .png file. */
  savePicture: { takes: { run: number }; gives: Blob };
};

/** What the service finds out about a result after it has been shown. */
export type Finding =
  /** A run has been compared with the float64 reference, to this part of it. */
  | { readonly kind: 'checked'; readonly run: number; readonly fraction: number; readonly check: Check }
  /** A call with its copies into the WebAssembly memory and back. */
  | { readonly kind: 'timed'; readonly run: number; readonly timing: Timing };
