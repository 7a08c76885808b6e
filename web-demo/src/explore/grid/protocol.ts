// What the grid and its service say to each other.

import type { Choice } from '../../compute/groups.js';
import type { RunSummary } from '../protocol.js';

/** Some samples, and which of their elements. */
export interface GridRequest {
  /** From which index of dimension 0, and how many. */
  readonly from: number;
  readonly count: number;
  /** Elements of one of them, and those that are drawn. */
  readonly size: number;
  readonly offsets: readonly number[];
  /** The call that stands beside the chosen one, without gamma and beta. */
  readonly contrast: Choice;
}

export interface GridPage {
  readonly run: number;
  readonly from: number;
  readonly samples: number;
  /** Values of the cells that are drawn, sample by sample. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly contrast: Float64Array;
  /** Statistics that a cell shares with others: of the chosen method, and of the other one. */
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  readonly contrastMean: Float64Array;
  readonly contrastScale: Float64Array;
  /** What the last change has moved; undefined when the settings or the data are others since. */
  readonly moved: Moved | undefined;
}

/** A change of the data. */
export type Change =
  | { readonly kind: 'set'; readonly index: number; readonly value: number }
  | { readonly kind: 'shift'; readonly sample: number; readonly by: number }
  | { readonly kind: 'scale'; readonly sample: number; readonly by: number }
  | { readonly kind: 'undo' }
  | { readonly kind: 'reset' };

export interface EditRequest {
  readonly change: Change;
  /** Whether it goes on with the change before, as a drag does, which is one change in the end. */
  readonly goesOn: boolean;
  readonly grid: GridRequest;
}

export interface Edited {
  readonly summary: RunSummary;
  readonly stored: string;
  readonly page: GridPage;
  readonly history: History;
}

export interface History {
  /** Changes that can be taken back. */
  readonly undos: number;
  /** Whether the data are not as they were opened. */
  readonly isChanged: boolean;
}

/** How many values are other bits than before the last change, in how many samples, and by how much. */
export interface Movement {
  readonly values: number;
  readonly samples: number;
  readonly largest: number;
}

export interface Moved {
  readonly x: Movement;
  readonly y: Movement;
  readonly contrast: Movement;
  /** For each cell that is drawn: 1 where it moved. */
  readonly cells: { readonly x: Uint8Array; readonly y: Uint8Array; readonly contrast: Uint8Array };
}
