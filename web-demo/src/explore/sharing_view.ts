// Which cells share a statistic: a corner of x around the chosen element, each cell with the number of its group.

import { elementIndex, groupAt, indexIn, type Layout } from '../compute/groups.js';
import { METHODS } from '../compute/methods.js';
import { hasBatch } from '../parse/dataset.js';
import { byId, el } from '../ui/dom.js';
import { whole } from '../ui/format.js';
import type { DatasetSummary, Settings } from './protocol.js';
import { WORDS } from './words.js';

/** Rows, blocks of cells in a row, and cells in a block that are drawn, at most. */
const [MAX_ROWS, MAX_BLOCKS, MAX_CELLS] = [6, 3, 8];
/** What a cell takes, what lies between blocks, and what stands before and after a row, in pixels. Must equal what style.css says. */
const [CELL, GAP, HEAD, MORE] = [28, 10, 72, 24];
/** Larger numbers do not fit into a cell. */
const LARGEST_NUMBER = 9999;

export class SharingView {
  readonly #grid = byId('sharing-grid');
  readonly #caption = byId('sharing-caption');
  #shown: (() => void) | undefined;
  /** The index of the first cell in rows, blocks and cells: it stays while the chosen one is to be seen. */
  #first = [0, 0, 0];

  constructor() {
    let width = 0;
    new ResizeObserver(() => {
      if (this.#grid.clientWidth === width) return;
      width = this.#grid.clientWidth;
      this.#shown?.();
    }).observe(this.#grid);
  }

  show(dataset: DatasetSummary, layout: Layout, settings: Settings, group: number, position: number): void {
    this.#shown = () => this.#draw(dataset, layout, group, position);
    byId('sharing').hidden = false;
    this.#shown();
    this.#caption.textContent = captionOf(dataset, layout, settings);
  }

  hide(): void {
    byId('sharing').hidden = true;
  }

  #draw({ axes }: DatasetSummary, layout: Layout, group: number, position: number): void {
    const chosen = elementIndex(layout, group, position);
    const sizes = axes.map(({ size }) => size);
    // Any shape as rows of blocks of cells: one dimension each for rows and cells, all others as one for the blocks.
    const { row: rowDim, cell: cellDim, block: blockDims } = dimensionsOf(layout, sizes.length);
    const sizeOf = (d: number | undefined): number => (d === undefined ? 1 : (sizes[d] as number));
    const indexOf = (d: number | undefined): number => (d === undefined ? 0 : (chosen[d] as number));
    const blocks = blockDims.reduce((product, d) => product * sizeOf(d), 1);
    const extents = [sizeOf(rowDim), blocks, sizeOf(cellDim)];
    const block = blockDims.reduce((at, d) => at * sizeOf(d) + indexOf(d), 0);
    const at = [indexOf(rowDim), block, indexOf(cellDim)];

    const width = this.#grid.clientWidth - HEAD - MORE;
    const cells = Math.max(1, Math.min(sizeOf(cellDim), MAX_CELLS, Math.floor(width / CELL)));
    const perRow = Math.max(1, Math.floor((width + GAP) / (cells * CELL + GAP)));
    const windows = [MAX_ROWS, Math.min(MAX_BLOCKS, perRow), cells];
    this.#first = extents.map((extent, d) => {
      const [window, place] = [Math.min(windows[d] as number, extent), at[d] as number];
      const first = Math.min(this.#first[d] as number, place, extent - window);
      return Math.max(first, place - window + 1);
    });
    const drawn = extents.map((extent, d) => {
      const first = this.#first[d] as number;
      return Array.from({ length: Math.min(windows[d] as number, extent) }, (_, i) => first + i);
    }) as [number[], number[], number[]];

    const cellAt = (row: number, b: number, c: number): HTMLElement => {
      const index = indexIn(sizes, blockDims, b);
      const place = sizes.map((_, d) =>
        d === rowDim ? row : d === cellDim ? c : (index[blockDims.indexOf(d)] as number),
      );
      const { group: number, kept } = groupAt(layout, place);
      const isOdd = kept.reduce((total, k) => total + k, 0) % 2 === 1;
      const isChosen = row === at[0] && b === at[1] && c === at[2];
      return el(
        'span',
        {
          class: `share-cell${isOdd ? ' odd' : ''}${number === group ? ' same' : ''}${isChosen ? ' chosen' : ''}`,
        },
        number <= LARGEST_NUMBER ? String(number) : '',
      );
    };
    const more = (d: number, isEnd: boolean): boolean => {
      const [first, window] = [this.#first[d] as number, windows[d] as number];
      return isEnd ? first + window < (extents[d] as number) : first > 0;
    };
    const rows = drawn[0].map((row) =>
      el(
        'div',
        { class: 'share-row' },
        el('code', { class: 'share-head' }, rowDim === undefined ? 'x' : `x[${row}]`),
        ...drawn[1].map((b) =>
          el('span', { class: 'share-block' }, ...drawn[2].map((c) => cellAt(row, b, c))),
        ),
        (more(1, true) || more(2, true)) && el('span', { class: 'share-more' }, '…'),
      ),
    );
    const dots = () => el('div', { class: 'share-more' }, '⋮');
    this.#grid.replaceChildren(
      ...(more(0, false) ? [dots()] : []),
      ...rows,
      ...(more(0, true) ? [dots()] : []),
    );
  }
}

/** Which dimension of x is drawn as what. The channels are cells, wherever they are, so that one sees where groups end. */
function dimensionsOf(
  { cut }: Layout,
  rank: number,
): { row: number | undefined; cell: number; block: number[] } {
  const row = rank > 1 ? 0 : undefined;
  const cell = cut !== undefined && cut !== row ? cut : rank - 1;
  return {
    row,
    cell,
    block: Array.from({ length: rank }, (_, d) => d).filter((d) => d !== row && d !== cell),
  };
}

function captionOf(dataset: DatasetSummary, layout: Layout, { method, axis }: Settings): string {
  const { keepsSamples, isPerChannel, scale } = METHODS[method];
  const what = scale === 'std' ? 'a mean and a variance' : `a ${WORDS[method].scale.long}`;
  const { row, cell, block } = dimensionsOf(layout, dataset.axes.length);
  const size = (d: number): string => `axis ${d} (${whole(dataset.axes[d]?.size ?? 1)})`;
  const others = block.length > 1 ? `axes ${block.join(' and ')}` : `axis ${block[0]}`;
  const drawn =
    row === undefined
      ? ''
      : ` Rows are ${size(row)}, cells ${size(cell)}${block.length > 0 ? `, blocks ${others}` : ''}.`;
  const isAcross = isPerChannel && !keepsSamples && hasBatch(dataset) && axis[0] !== 0;
  return (
    `Cells with the same number share ${what}; the marked ones share that of the chosen element.${drawn}` +
    (isAcross ? ' A channel goes down through all rows, which are the samples.' : '')
  );
}
