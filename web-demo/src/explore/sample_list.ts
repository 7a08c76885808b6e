// Groups as rows of colours, before and after, with their statistics beside them.
//
// It is one listbox: arrow keys go from sample to sample and from element to element, and what a screen reader says of a sample
// is its statistics. The two canvases lie under the rows.

import { METHODS } from '../compute/methods.js';
import { count } from '../parse/dataset.js';
import { css, divergingScale, inkOn, onThemeChange, type Scale, sequentialScale } from '../ui/colors.js';
import { el } from '../ui/dom.js';
import { columnFormat, significant, whole } from '../ui/format.js';
import type { Page, RunSummary } from './protocol.js';
import { capital, WORDS } from './words.js';

/** Height of a row: what a finger or an unsteady hand can hit. Must equal --row-height in style.css. */
const ROW_HEIGHT = 26;
/** Cells of at least this width show their number; of at least the second one, their sign. */
const [NUMBER_WIDTH, SIGN_WIDTH] = [44, 14];
/** Columns get their names from this width on. */
const NAME_WIDTH = 44;
/** The first and the last name stand over strips from this width on. */
const ENDS_WIDTH = 130;

type Format = (value: number) => string;

export interface Place {
  /** Which sample of the page. */
  readonly sample: number;
  /** Which of the positions that are drawn. */
  readonly element: number;
}

interface Handlers {
  /** The user points at a place; undefined when no more. */
  readonly onPoint: (place: Place | undefined) => void;
  /** The user picks a place. */
  readonly onPick: (place: Place) => void;
  /** The user goes beyond the first or the last sample of the page. */
  readonly onLeave: (direction: -1 | 1, wholePage: boolean) => void;
}

export class SampleList {
  readonly #handlers: Handlers;
  readonly #caption = el('figcaption');
  readonly #head = el('div', { class: 'samples-head', 'aria-hidden': 'true' });
  readonly #list = el('div', {
    class: 'samples-list',
    id: 'samples',
    role: 'listbox',
    tabindex: 0,
    'aria-label': 'Samples',
    'aria-describedby': 'samples-keys',
  });
  readonly #frame = el('div', { class: 'samples' }, this.#head);
  readonly #keys = el('p', { class: 'hint keys', id: 'samples-keys' });
  readonly #canvases = { before: el('canvas'), after: el('canvas') };
  readonly #marks = { before: el('div', { class: 'cell-mark' }), after: el('div', { class: 'cell-mark' }) };
  #page: Page | undefined;
  #summary: RunSummary | undefined;
  #picked: Place = { sample: 0, element: 0 };

  constructor(figure: HTMLElement, handlers: Handlers) {
    this.#handlers = handlers;
    const body = el('div', { class: 'samples-body' });
    for (const part of [this.#canvases.before, this.#canvases.after, this.#marks.before, this.#marks.after]) {
      part.setAttribute('aria-hidden', 'true');
      body.append(part);
    }
    body.append(this.#list);
    this.#frame.append(body);
    figure.append(this.#caption, this.#frame, this.#keys);
    this.#list.addEventListener('pointermove', (event) => handlers.onPoint(this.#placeAt(event)));
    this.#list.addEventListener('pointerleave', () => handlers.onPoint(undefined));
    this.#list.addEventListener('click', (event) => {
      const place = this.#placeAt(event);
      if (place) handlers.onPick(place);
    });
    this.#list.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(() => this.#draw()).observe(this.#list);
    onThemeChange(() => this.#draw());
  }

  show(page: Page, summary: RunSummary): void {
    this.#page = page;
    this.#summary = summary;
    const { group: noun, scale } = WORDS[summary.settings.method];
    this.#frame.classList.toggle('long-labels', METHODS[summary.settings.method].isPerChannel);
    this.#list.setAttribute('aria-label', `${capital(noun)}s`);
    this.#keys.textContent = `Up and Down go through the ${noun}s, Left and Right through the elements of one.`;
    const formats = {
      before: columnFormat(largest([...page.before.mean, ...page.before.scale])),
      after: columnFormat(largest([...page.after.mean, ...page.after.scale])),
    };
    this.#list.replaceChildren(
      ...page.labels.map(({ code, name }, s) => {
        const spoken = (words: string) => el('span', { class: 'visually-hidden' }, words);
        const statistics = (when: 'before' | 'after') => [
          el('span', { class: 'strip' }),
          el(
            'span',
            { class: 'statistic' },
            spoken(` ${when}: mean `),
            formats[when](page[when].mean[s] as number),
          ),
          el(
            'span',
            { class: 'statistic' },
            spoken(`, ${scale.long} `),
            formats[when](page[when].scale[s] as number),
            spoken(when === 'before' ? ';' : ''),
          ),
        ];
        return el(
          'div',
          { role: 'option', id: `sample-${s}`, class: 'sample', 'aria-selected': 'false' },
          el(
            'span',
            { class: 'sample-label' },
            el('code', {}, code),
            name ? el('span', { title: name }, name) : '',
          ),
          ...statistics('before'),
          ...statistics('after'),
        );
      }),
    );
    this.#showCaption(page, summary);
    this.#draw();
  }

  /** Marks the place that the rest of the page is about. */
  mark(place: Place, picked: Place): void {
    this.#picked = picked;
    for (const [s, option] of [...this.#list.children].entries()) {
      option.setAttribute('aria-selected', String(s === picked.sample));
      option.classList.toggle('pointed', s === place.sample);
    }
    this.#list.setAttribute('aria-activedescendant', `sample-${picked.sample}`);
    this.#placeMarks(place);
  }

  focus(): void {
    this.#list.focus();
  }

  get hasFocus(): boolean {
    return document.activeElement === this.#list;
  }

  #showCaption(page: Page, { size, before, reach, after, settings }: RunSummary): void {
    const thinned =
      page.positions.length < size
        ? ` ${whole(page.positions.length)} of ${whole(size)} elements are drawn, at even distances.`
        : '';
    const isAcross = settings.method === 'batch' && settings.axis[0] !== 0;
    const rows = isAcross
      ? 'A row is a channel, its cells come from all samples.'
      : `A row is a ${WORDS[settings.method].group}, a cell one of its elements.`;
    const clipped = Math.max(Math.abs(after.min), Math.abs(after.max)) > reach * 1.0001;
    this.#caption.replaceChildren(
      el('p', {}, `${rows}${thinned}`),
      legend('Before', 'sequential', [
        `${before.min < before.low ? '≤ ' : ''}${significant(before.low, 3)}`,
        `${before.max > before.high ? '≥ ' : ''}${significant(before.high, 3)}`,
      ]),
      legend('After', 'diverging', [
        `${clipped ? '≤ ' : ''}${significant(-reach, 3)}`,
        '0',
        `${clipped ? '≥ ' : ''}${significant(reach, 3)}`,
      ]),
    );
  }

  /** Head row and canvases, which depend on the width. */
  #draw(): void {
    const [page, summary] = [this.#page, this.#summary];
    const strips = this.#list.querySelectorAll<HTMLElement>('.sample:first-child .strip');
    if (!page || !summary || strips.length < 2) return;
    const [beforeStrip, afterStrip] = strips as unknown as [HTMLElement, HTMLElement];
    const width = beforeStrip.offsetWidth;
    if (width === 0) return; // hidden
    this.#drawHead(page, summary, width);
    const { low, high } = summary.before;
    this.#drawCells('before', beforeStrip, page, page.x, sequentialScale(low, high), false);
    this.#drawCells('after', afterStrip, page, page.y, divergingScale(summary.reach), true);
  }

  #drawHead(page: Page, { settings }: RunSummary, width: number): void {
    const { group: noun, scale } = WORDS[settings.method];
    const names = () => {
      const strip = el('span', { class: 'positions' });
      const labels = page.positionLabels;
      if (width / labels.length >= NAME_WIDTH) {
        strip.classList.add('all');
        strip.append(...labels.map((label) => el('span', { title: label }, label)));
      } else if (width >= ENDS_WIDTH) {
        strip.append(el('span', {}, labels[0] ?? ''), el('span', {}, labels.at(-1) ?? ''));
      } else strip.append(count(labels.length, 'element'));
      return strip;
    };
    const strip = (title: string) => el('span', { class: 'strip-head' }, el('b', {}, title), names());
    const statistics = () => [
      el('span', { class: 'statistic' }, 'mean'),
      el('span', { class: 'statistic' }, scale.short),
    ];
    this.#head.replaceChildren(
      el('span', {}, capital(noun)),
      strip('Before'),
      ...statistics(),
      strip('After'),
      ...statistics(),
    );
  }

  #drawCells(
    when: 'before' | 'after',
    strip: HTMLElement,
    page: Page,
    values: Float64Array,
    scale: Scale,
    signed: boolean,
  ): void {
    const canvas = this.#canvases[when];
    const rows = page.labels.length;
    const columns = page.positions.length;
    const [width, height] = [strip.offsetWidth, rows * ROW_HEIGHT];
    canvas.style.left = `${strip.offsetLeft}px`;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const density = devicePixelRatio || 1;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(density, density);
    context.font = '12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    const cellWidth = width / columns;
    const gap = cellWidth >= 8 ? 1 : 0;
    // Columns of x may be of very different sizes; those of y are not.
    const digits = cellWidth >= 56 ? 4 : 3;
    const withNumbers = cellWidth >= NUMBER_WIDTH;
    const formats = (withNumbers ? page.positions : []).map((_, c) =>
      columnFormat(signed ? largest(values) : largest(values.filter((_, i) => i % columns === c)), digits),
    );
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const value = values[r * columns + c] as number;
        const color = scale(value);
        context.fillStyle = css(color);
        context.fillRect(
          c * cellWidth,
          r * ROW_HEIGHT + 1,
          cellWidth - gap + (gap ? 0 : 0.5),
          ROW_HEIGHT - 2,
        );
        const text = cellText(value, cellWidth, signed, formats[c]);
        if (text === '') continue;
        context.fillStyle = inkOn(color);
        context.fillText(text, (c + 0.5) * cellWidth, (r + 0.5) * ROW_HEIGHT + 0.5, cellWidth - 4);
      }
    }
  }

  #placeMarks({ sample, element }: Place): void {
    const strips = this.#list.querySelectorAll<HTMLElement>('.sample:first-child .strip');
    const columns = this.#page?.positions.length ?? 1;
    for (const [i, mark] of [this.#marks.before, this.#marks.after].entries()) {
      const strip = strips[i];
      if (!strip) continue;
      const width = strip.offsetWidth / columns;
      const shown = Math.max(width, 5);
      mark.style.left = `${strip.offsetLeft + (element + 0.5) * width - shown / 2}px`;
      mark.style.top = `${sample * ROW_HEIGHT}px`;
      mark.style.width = `${shown}px`;
      mark.style.height = `${ROW_HEIGHT}px`;
    }
  }

  #placeAt(event: MouseEvent): Place | undefined {
    const option = event.target instanceof Element ? event.target.closest('.sample') : null;
    if (!option || !this.#page) return undefined;
    const sample = [...this.#list.children].indexOf(option);
    const columns = this.#page.positions.length;
    for (const strip of option.querySelectorAll('.strip')) {
      const { left, right, width } = strip.getBoundingClientRect();
      if (event.clientX >= left && event.clientX < right) {
        return {
          sample,
          element: Math.min(columns - 1, Math.floor(((event.clientX - left) / width) * columns)),
        };
      }
    }
    return { sample, element: this.#picked.element };
  }

  #onKey(event: KeyboardEvent): void {
    const page = this.#page;
    if (!page || event.ctrlKey || event.altKey || event.metaKey) return;
    const { sample, element } = this.#picked;
    const [samples, elements] = [page.labels.length, page.positions.length];
    const go = (place: Place) => {
      if (place.sample < 0 || place.sample >= samples)
        this.#handlers.onLeave(place.sample < 0 ? -1 : 1, false);
      else if (place.element >= 0 && place.element < elements) this.#handlers.onPick(place);
    };
    switch (event.key) {
      case 'ArrowDown':
        go({ sample: sample + 1, element });
        break;
      case 'ArrowUp':
        go({ sample: sample - 1, element });
        break;
      case 'ArrowRight':
        go({ sample, element: element + 1 });
        break;
      case 'ArrowLeft':
        go({ sample, element: element - 1 });
        break;
      case 'Home':
        go({ sample: 0, element });
        break;
      case 'End':
        go({ sample: samples - 1, element });
        break;
      case 'PageDown':
        this.#handlers.onLeave(1, true);
        break;
      case 'PageUp':
        this.#handlers.onLeave(-1, true);
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}

/** As much of a number as its cell has room for. */
function cellText(value: number, width: number, signed: boolean, format: Format | undefined): string {
  if (format) {
    const text = format(value);
    return signed && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
  }
  if (!signed || width < SIGN_WIDTH || value === 0 || Number.isNaN(value)) return '';
  return value > 0 ? '+' : '−';
}

/** What a colour means, as a bar with its ends. */
export function legend(
  title: string,
  scale: 'sequential' | 'diverging' | 'grey',
  ends: string[],
): HTMLElement {
  return el(
    'div',
    { class: 'legend' },
    el('span', { class: 'legend-title' }, title),
    el(
      'span',
      { class: 'legend-scale' },
      el('span', { class: `legend-bar ${scale}` }),
      el('span', { class: 'legend-ends' }, ...ends.map((end) => el('span', {}, end))),
    ),
  );
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const value = Math.abs(values[i] as number);
    if (Number.isFinite(value) && value > most) most = value;
  }
  return most;
}
