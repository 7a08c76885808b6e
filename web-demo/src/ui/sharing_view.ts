// Which cells share a statistic: a corner of x around the chosen element, each cell with the number of its group.

import { elementIndex, groupAt, type Layout } from '../compute/groups.js';
import { METHODS } from '../compute/methods.js';
import { hasBatch } from '../parse/dataset.js';
import type { DatasetSummary, Settings } from '../protocol.js';
import { byId, el } from './dom.js';
import { whole } from './format.js';
import { WORDS } from './words.js';

/** Rows, blocks of cells in a row, and cells in a block that are drawn, at most. */
const [MAX_ROWS, MAX_BLOCKS, MAX_CELLS] = [6, 3, 8];
/** What a cell takes, and what stands before a row, in pixels. Must equal what style.css says. */
const [CELL, GAP, HEAD] = [28, 10, 72];
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
    this.#caption.textContent = captionOf(dataset, settings);
  }

  hide(): void {
    byId('sharing').hidden = true;
  }

  #draw({ axes }: DatasetSummary, layout: Layout, group: number, position: number): void {
    const chosen = elementIndex(layout, group, position);
    const sizes = axes.map(({ size }) => size);
    // Any shape as rows of blocks of cells: the first dimension, those between as one, and the last.
    const isFlat = sizes.length === 1;
    const middle = sizes.slice(1, -1);
    const blocks = middle.reduce((product, size) => product * size, 1);
    const extents = [isFlat ? 1 : (sizes[0] as number), blocks, sizes.at(-1) as number];
    const block = middle.reduce((at, size, i) => at * size + (chosen[i + 1] as number), 0);
    const at = [isFlat ? 0 : (chosen[0] as number), block, chosen.at(-1) as number];

    const room = Math.max(1, Math.floor((this.#grid.clientWidth - HEAD + GAP) / CELL));
    const cells = Math.min(extents[2] as number, MAX_CELLS, room);
    const perRow = Math.max(1, Math.floor((this.#grid.clientWidth - HEAD + GAP) / (cells * CELL + GAP)));
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
      const between = middle.map((_, i) => {
        const inner = middle.slice(i + 1).reduce((product, size) => product * size, 1);
        return Math.floor(b / inner) % (middle[i] as number);
      });
      const { group: number, kept } = groupAt(layout, isFlat ? [c] : [row, ...between, c]);
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
        el('code', { class: 'share-head' }, isFlat ? 'x' : `x[${row}]`),
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

function captionOf(dataset: DatasetSummary, { method, axis }: Settings): string {
  const { keepsSamples, isPerChannel, scale } = METHODS[method];
  const what = scale === 'std' ? 'a mean and a variance' : `a ${WORDS[method].scale.long}`;
  const [first] = dataset.axes;
  const rows = dataset.axes.length > 1 && first ? ` Rows are axis 0, ${whole(first.size)} in all.` : '';
  const isAcross = isPerChannel && !keepsSamples && hasBatch(dataset) && axis[0] !== 0;
  return (
    `Cells with the same number share ${what}; the marked ones share that of the chosen element.${rows}` +
    (isAcross ? ' A channel goes down through all of them.' : '')
  );
}
