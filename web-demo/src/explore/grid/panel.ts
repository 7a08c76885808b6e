// One of the three grids: samples as rows of cells. All three have the same geometry, so that one sees what belongs together.

import { css, inkOn, type Scale } from '../../ui/colors.js';
import { el } from '../../ui/dom.js';
import { significant } from '../../ui/format.js';
import type { Geometry, Lines } from './geometry.js';
import { cellText } from './sentences.js';

/** A cell, by the sample of the page and by its number in that sample. */
export interface Place {
  readonly sample: number;
  readonly cell: number;
}

/** What a panel says beside its numbers. */
export interface Texts {
  /** Of each sample of the page: its number, and what it is called. */
  readonly samples: readonly {
    readonly number: string;
    readonly name: string | undefined;
    readonly noun: string;
  }[];
  /** Over the columns of a block, where these are all in a line; over the blocks, where there are several. */
  readonly columns: readonly string[];
  readonly blocks: readonly string[];
  /** What screen readers call a cell: x[2, 3]. */
  readonly cellCode: (place: Place) => string;
}

/** What a number leaves free in its cell, in pixels; and a number that should fit, in smaller characters if need be. */
const [PADDING, WANTED] = [3, '−0.5'];
const [FONT_SIZE, SMALL_SIZE] = [11, 10];

const canvas = document.createElement('canvas').getContext('2d');

export class Panel {
  readonly title = el('h3', { class: 'grid-title' });
  readonly readout = el('p', { class: 'grid-readout' });
  readonly grid: HTMLElement;
  readonly element: HTMLElement;
  readonly #tools: ((sample: number) => HTMLElement[]) | undefined;
  readonly #columns = el('div', { class: 'grid-columns', 'aria-hidden': 'true' });
  #cells: HTMLElement[] = [];
  #perSample = 1;
  #hasRoom: (text: string) => boolean = () => true;
  #texts: Texts | undefined;

  /**
   * @param id - of the grid
   * @param tools - buttons for a sample, each to stand in a cell of its own
   */
  constructor(id: string, tools?: (sample: number) => HTMLElement[]) {
    this.#tools = tools;
    this.title.id = `${id}-title`;
    this.grid = el('div', {
      id,
      role: 'grid',
      class: 'grid-body',
      'aria-labelledby': this.title.id,
      'aria-describedby': 'grid-keys',
      'aria-readonly': tools ? undefined : 'true',
    });
    this.element = el(
      'div',
      { class: 'grid-panel' },
      el('div', { class: 'grid-head' }, this.title, this.readout),
      this.#columns,
      this.grid,
    );
  }

  build({ blocks, rows, columns }: Geometry, samples: number, lines: Lines, texts: Texts): void {
    this.#texts = texts;
    const perBlock = rows * columns;
    this.#perSample = blocks * perBlock;
    this.#cells = [];
    const width = lines.blocksAcross * lines.across * lines.cell + (lines.blocksAcross - 1) * 8;
    this.element.style.setProperty('--cell', `${lines.cell}px`);
    this.element.style.setProperty('--across', String(lines.across));
    this.element.style.setProperty('--blocks', `${width}px`);
    this.element.classList.toggle('single', lines.lines.length === 1);
    const cellIn = (): HTMLElement => {
      const cell = el('div', { role: 'gridcell', class: 'grid-cell', tabindex: -1 });
      this.#cells.push(cell);
      return cell;
    };
    const blockIn = (b: number): HTMLElement => {
      const name = texts.blocks[b];
      return el(
        'div',
        { class: 'grid-block' },
        name !== undefined && el('span', { class: 'block-name', 'aria-hidden': 'true' }, name),
        ...Array.from({ length: perBlock }, cellIn),
      );
    };
    this.grid.replaceChildren(
      ...Array.from({ length: samples }, (_, s) => {
        const { number, name, noun } = texts.samples[s] as Texts['samples'][number];
        const head = el(
          'div',
          {
            role: 'rowheader',
            class: 'grid-name',
            title: name,
            'aria-label': `${noun} ${number}${name === undefined ? '' : `, ${name}`}`,
          },
          name === undefined && el('span', {}, `${noun} `),
          el('b', {}, number),
          name !== undefined && el('span', {}, ` ${name}`),
        );
        const tools = (this.#tools?.(s) ?? []).map((tool) => el('div', { role: 'gridcell' }, tool));
        return el(
          'div',
          { role: 'row', class: 'grid-row' },
          el(
            'div',
            { class: 'grid-side' },
            head,
            tools.length > 0 &&
              el('div', { class: 'grid-tools', 'data-name': name ?? `${noun} ${number}` }, ...tools),
          ),
          el('div', { class: 'grid-blocks' }, ...Array.from({ length: blocks }, (_, b) => blockIn(b))),
        );
      }),
    );
    this.#measure(lines.cell - PADDING);
    const hasColumns = blocks === 1 && rows === 1 && lines.lines.length === 1;
    this.#columns.hidden = !hasColumns;
    this.#columns.replaceChildren(
      ...(hasColumns ? texts.columns.map((name) => el('span', { title: name }, name)) : []),
    );
  }

  paint(values: Float64Array, scale: Scale): void {
    this.#cells.forEach((cell, i) => {
      const value = values[i] as number;
      const color = scale(value);
      const place = this.#placeOf(i);
      cell.style.backgroundColor = css(color);
      cell.style.setProperty('--on', inkOn(color));
      const text = cellText(value, this.#hasRoom);
      const whole = significant(value, 6);
      // What one sees is part of the name, so that one can ask for it by voice.
      const said = whole === text ? text : `${text}, more precisely ${whole}`;
      cell.setAttribute('aria-label', `${this.#texts?.cellCode(place)} ${said}`);
      // An input may stand in it.
      if (cell.childElementCount === 0 && cell.textContent !== text) cell.textContent = text;
      cell.dataset.text = text;
    });
  }

  /**
   * @param shown - the cell that the page is about
   * @param shares - whether a cell, by its number on the page, shares the statistic of that one
   * @param moved - 1 for each cell that the last change has moved
   */
  mark(shown: Place, isPinned: boolean, shares: (i: number) => boolean, moved: Uint8Array | undefined): void {
    const at = this.#indexOf(shown);
    for (const [s, row] of [...this.grid.children].entries())
      row.classList.toggle('current-row', s === shown.sample);
    this.#cells.forEach((cell, i) => {
      cell.classList.toggle('same', shares(i));
      cell.classList.toggle('current', i === at);
      cell.classList.toggle('moved', moved?.[i] === 1);
      if (i === at && isPinned) cell.setAttribute('aria-selected', 'true');
      else cell.removeAttribute('aria-selected');
    });
  }

  /** Numbers are as long as their cells have room for, in the font that there is. */
  #measure(room: number): void {
    const { fontFamily } = getComputedStyle(this.element);
    const widthIn = (size: number) => (text: string) => {
      if (!canvas) return text.length * size * 0.65;
      canvas.font = `${size}px ${fontFamily}`;
      return canvas.measureText(text).width;
    };
    const size = widthIn(FONT_SIZE)(WANTED) <= room ? FONT_SIZE : SMALL_SIZE;
    const widthOf = widthIn(size);
    const widths = new Map([...'0123456789.−+∞eNa?'].map((character) => [character, widthOf(character)]));
    this.#hasRoom = (text) =>
      [...text].reduce((total, character) => total + (widths.get(character) ?? size), 0) <= room;
    this.element.style.setProperty('--cell-font', `${size}px`);
  }

  /** Makes one cell what Tab leads to. */
  rove(place: Place, tool?: HTMLElement): void {
    for (const one of this.grid.querySelectorAll<HTMLElement>('[tabindex="0"]')) one.tabIndex = -1;
    const target = tool ?? this.cellAt(place);
    if (target) target.tabIndex = 0;
  }

  cellAt(place: Place): HTMLElement | undefined {
    return this.#cells[this.#indexOf(place)];
  }

  toolsOf(sample: number): HTMLElement[] {
    return [...(this.grid.children[sample]?.querySelectorAll<HTMLElement>('.grid-tools button') ?? [])];
  }

  /** The cell that an event is about. */
  placeOf(event: Event): Place | undefined {
    const cell = event.target instanceof Element ? event.target.closest<HTMLElement>('.grid-cell') : null;
    const i = cell ? this.#cells.indexOf(cell) : -1;
    return i < 0 ? undefined : this.#placeOf(i);
  }

  #indexOf({ sample, cell }: Place): number {
    return sample * this.#perSample + cell;
  }

  #placeOf(i: number): Place {
    return { sample: Math.floor(i / this.#perSample), cell: i % this.#perSample };
  }
}
