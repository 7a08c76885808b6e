// How x is laid out as a grid: a row is an index of dimension 0, what it holds is drawn as blocks of cells.

import { indexIn } from '../../compute/groups.js';

/** Cells of a sample that are drawn, at most; those of a block where there are several; the sides of a map. */
const [MAX_CELLS, MAX_BLOCK, MAX_SIDE] = [48, 16, 6];
/** Samples on a page, at most, and the cells that they may have together. */
const [MAX_SAMPLES, MAX_DRAWN] = [12, 144];

export interface Geometry {
  /** Indices of dimension 0; one where x has no other dimension. */
  readonly samples: number;
  /** Elements of one of them. */
  readonly size: number;
  /** Drawn blocks of a sample, and rows and columns of a block. */
  readonly blocks: number;
  readonly rows: number;
  readonly columns: number;
  /** Where the drawn cells lie in a sample: block by block, row by row. */
  readonly offsets: readonly number[];
  /** The dimensions of x that count the blocks. */
  readonly blockDims: readonly number[];
  /** How many samples make a page. */
  readonly perPage: number;
}

/**
 * Two dimensions: a row of cells. Three: a block for each index of the middle one. More: a map for each channel, of the last two
 * dimensions that are left.
 */
export function geometryOf(shape: readonly number[], channel: number | undefined): Geometry {
  const samples = shape.length > 1 ? (shape[0] as number) : 1;
  const inner = shape.map((_, d) => d).slice(shape.length > 1 ? 1 : 0);
  const size = inner.reduce((product, d) => product * (shape[d] as number), 1);
  const left = inner.length > 2 ? inner.filter((d) => d !== channel) : inner;
  const columnDim = left.at(-1) as number;
  const rowDim = inner.length > 2 ? left.at(-2) : undefined;
  const blockDims = inner.filter((d) => d !== columnDim && d !== rowDim);
  const sizeOf = (d: number | undefined): number => (d === undefined ? 1 : (shape[d] as number));
  const allBlocks = blockDims.reduce((product, d) => product * sizeOf(d), 1);

  const limit = rowDim !== undefined ? MAX_SIDE : allBlocks > 1 ? MAX_BLOCK : MAX_CELLS;
  const columns = Math.min(sizeOf(columnDim), limit);
  const rows = Math.min(sizeOf(rowDim), MAX_SIDE);
  const blocks = Math.min(allBlocks, Math.max(1, Math.floor(MAX_CELLS / (rows * columns))));
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((product, n) => product * n, 1));
  const strideOf = (d: number | undefined): number => (d === undefined ? 0 : (strides[d] as number));
  const offsets: number[] = [];
  for (let b = 0; b < blocks; b++) {
    const index = indexIn(shape, blockDims, b);
    const start = blockDims.reduce((at, d, i) => at + (index[i] as number) * strideOf(d), 0);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        offsets.push(start + r * strideOf(rowDim) + c * strideOf(columnDim));
      }
    }
  }
  const perPage = Math.min(MAX_SAMPLES, Math.max(2, Math.floor(MAX_DRAWN / offsets.length)));
  return { samples, size, blocks, rows, columns, offsets, blockDims, perPage };
}

/** What fits into a width: how cells are put into lines. */
export interface Lines {
  /** Width of a cell in pixels. */
  readonly cell: number;
  /** Cells beside each other in a block, whose rows are broken where there are more, and blocks beside each other. */
  readonly across: number;
  readonly blocksAcross: number;
  /** The drawn cells of a sample as one sees them: from top to bottom, from left to right. */
  readonly lines: readonly (readonly number[])[];
}

/** What a cell needs for the sign and two digits, or for a finger; and what it does not need more than. In pixels. */
const [LEAST, MOST] = [26, 64];
/** What lies between two blocks. */
export const BLOCK_GAP = 8;

/** Whether the cells of a block fit side by side. */
export function fits({ columns }: Geometry, width: number): boolean {
  return columns * LEAST <= width;
}

export function linesOf({ blocks, rows, columns }: Geometry, width: number): Lines {
  const across = Math.max(1, Math.min(columns, Math.floor(width / LEAST)));
  const most = Math.max(1, Math.floor((width + BLOCK_GAP) / (across * LEAST + BLOCK_GAP)));
  // As many in each line: four in twos rather than in three and one.
  const blocksAcross = Math.ceil(blocks / Math.ceil(blocks / most));
  const gaps = (blocksAcross - 1) * BLOCK_GAP;
  const cell = Math.min(MOST, Math.max(24, Math.floor((width - gaps) / (blocksAcross * across))));
  const lines: number[][] = [];
  for (let first = 0; first < blocks; first += blocksAcross) {
    for (let r = 0; r < rows; r++) {
      for (let from = 0; from < columns; from += across) {
        const line: number[] = [];
        for (let b = first; b < Math.min(blocks, first + blocksAcross); b++) {
          for (let c = from; c < Math.min(columns, from + across); c++)
            line.push((b * rows + r) * columns + c);
        }
        lines.push(line);
      }
    }
  }
  return { cell, across, blocksAcross, lines };
}
