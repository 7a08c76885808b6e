// The batch as a grid that one can change: before, after, and beside it the same by another method. What shares a statistic lights
// up in all three, and what a change has moved is marked and said.

import './grid.css';
import { type Choice, groupAt, indexIn, type Layout, spansOf } from '../../compute/groups.js';
import type { MethodName } from '../../compute/methods.js';
import { hasBatch, shapeOf } from '../../parse/dataset.js';
import { divergingScale, onThemeChange } from '../../ui/colors.js';
import { el } from '../../ui/dom.js';
import { significant, whole } from '../../ui/format.js';
import { onWidth } from '../../ui/plot.js';
import type { DatasetSummary, RunSummary } from '../protocol.js';
import { legend } from '../sample_list.js';
import { WORDS } from '../words.js';
import { CellInput } from './cell_input.js';
import { fits, type Geometry, type Lines, linesOf } from './geometry.js';
import { Panel, type Place } from './panel.js';
import type { Change, GridPage, History } from './protocol.js';
import { changeSentence, codeOf, movedSentence, movementWords, sharers, stepFor } from './sentences.js';

/** Everything about what is shown that a change of a number leaves alone. */
export interface Context {
  readonly dataset: DatasetSummary;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly contrast: { readonly method: MethodName; readonly layout: Layout; readonly choice: Choice };
}

interface Handlers {
  /** The page is about this element of x now. */
  readonly onFocus: (index: readonly number[]) => void;
  readonly onEdit: (change: Change, goesOn: boolean) => void;
  /** The user goes beyond the first or the last sample of the page. */
  readonly onLeave: (direction: -1 | 1, place: Place) => void;
  readonly say: (sentence: string) => void;
}

/** Width of what stands before a row, what lies between panels, in pixels. Must equal what grid.css says. */
const [SIDE, SIDE_NARROW, GAP] = [104, 24, 16];
/** Below this width a row has only its number before it, and its buttons stand below. */
const NARROW = 480;
/** A drag begins after so many pixels, and goes a step further with each so many. */
const [DRAG_START, DRAG_STEP] = [4, 4];
/** What a sample is shifted by, in steps of its numbers. */
const SHIFT_STEPS = 4;

interface Drag {
  readonly pointer: number;
  readonly place: Place;
  readonly y: number;
  readonly value: number;
  readonly step: number;
  isMoving: boolean;
  last: number;
}

export class GridView {
  readonly #handlers: Handlers;
  readonly #before = new Panel('grid-before', (sample) => this.#toolsFor(sample));
  readonly #after = new Panel('grid-after');
  readonly #beside = new Panel('grid-contrast');
  readonly #panels = [this.#before, this.#after, this.#beside] as const;
  readonly #frame = el('div', { class: 'grid-panels' }, ...this.#panels.map(({ element }) => element));
  readonly #moved = el('p', { class: 'grid-moved', id: 'grid-moved' });
  readonly #error = el('p', { class: 'notice error', id: 'grid-error', role: 'alert', hidden: true });
  readonly #caption = el('figcaption', { class: 'grid-caption' });
  readonly #type = button('Edit');
  readonly #undo = button('Undo');
  readonly #reset = button('Reset');
  readonly #unpin = button('Unpin');
  readonly #input = new CellInput(this.#frame, this.#error);
  #context: Context | undefined;
  #summary: RunSummary | undefined;
  #page: GridPage | undefined;
  #history: History = { undos: 0, isChanged: false };
  #lines: Lines | undefined;
  #width = 0;
  /** Where the arrow keys are; what the pointer is over; whether a click holds the first. */
  #picked: Place = { sample: 0, cell: 0 };
  #pointed: Place | undefined;
  #isPinned = false;
  #drag: Drag | undefined;
  /** How far colours reach: it stays while numbers are changed, else all cells would seem to move. */
  #reach = 1;
  /** Steps of each sample, from the numbers that it had when it was opened. */
  #steps = new Map<number, number>();
  /** Of the cells that are drawn: the group of each, in both layouts. */
  #groups: readonly [readonly number[], readonly number[]] = [[], []];

  constructor(figure: HTMLElement, handlers: Handlers) {
    this.#handlers = handlers;
    figure.append(
      el(
        'div',
        { class: 'grid-lead' },
        el(
          'p',
          { class: 'grid-invite' },
          el('b', {}, 'Drag a cell'),
          ' up or down, ',
          el('b', {}, 'or type a number'),
          ': what else moves?',
        ),
        el('div', { class: 'grid-actions' }, this.#unpin, this.#type, this.#undo, this.#reset),
      ),
      this.#moved,
      this.#error,
      this.#frame,
      this.#caption,
      el(
        'p',
        { class: 'hint keys', id: 'grid-keys' },
        'Arrow keys go from cell to cell. Enter or a digit changes a number, + and − move it by a step, Ctrl+Z takes it back. ' +
          'A click pins a cell, Escape unpins it. On a touch screen, tap a cell first and drag it then.',
      ),
    );
    for (const panel of this.#panels) this.#listen(panel);
    this.#frame.addEventListener('pointerleave', () => this.#point(undefined));
    this.#listenToDrags();
    figure.addEventListener('keydown', (event) => this.#onShortcut(event));
    this.#type.addEventListener('click', () => this.#edit(this.#picked));
    this.#undo.addEventListener('click', () => this.#take('undo'));
    this.#reset.addEventListener('click', () => this.#take('reset'));
    this.#unpin.addEventListener('click', () => {
      this.#pin(false);
      this.#before.cellAt(this.#picked)?.focus();
    });
    onWidth(this.#frame, (width) => {
      this.#width = width;
      this.#build();
    });
    onThemeChange(() => this.#paint());
  }

  /** Shows samples of a result. */
  show(page: GridPage, summary: RunSummary, context: Context): void {
    const isOther = this.#context?.dataset !== context.dataset;
    if (isOther) {
      this.#steps.clear();
      this.#history = { undos: 0, isChanged: false };
      this.#isPinned = false;
      this.#picked = { sample: 0, cell: 0 };
    }
    this.#input.close();
    this.#pointed = undefined;
    this.#context = context;
    this.#reach = roundUp(summary.reach);
    this.#keep(page, summary);
    this.#moved.classList.remove('has-moved');
    this.#moved.textContent =
      'Layer normalization sees one sample at a time, batch normalization all of them. What moves is marked below and counted here.';
    this.#build();
  }

  /** Shows the same samples after a change. */
  update(page: GridPage, summary: RunSummary, history: History, change: Change): void {
    this.#history = history;
    this.#keep(page, summary);
    this.#paint();
    this.#sayMoved(change);
  }

  /** Moves to a cell of the page that is shown, as far as there is one. */
  go(place: Place, takesFocus: boolean): void {
    const { geometry } = this.#context ?? {};
    if (!geometry || !this.#page) return;
    this.#picked = {
      sample: Math.min(Math.max(place.sample, 0), this.#page.samples - 1),
      cell: Math.min(place.cell, geometry.offsets.length - 1),
    };
    this.#pointed = undefined;
    this.#mark();
    if (takesFocus) this.#focusedPanel().cellAt(this.#picked)?.focus();
  }

  /** Moves to an element of x, when it is drawn. */
  goTo(flat: number): void {
    const [context, page] = [this.#context, this.#page];
    if (!context || !page) return;
    const { size, offsets } = context.geometry;
    const sample = Math.floor(flat / size) - page.from;
    const cell = offsets.indexOf(flat % size);
    if (cell >= 0 && sample >= 0 && sample < page.samples) this.go({ sample, cell }, false);
  }

  get place(): Place {
    return this.#picked;
  }

  get hasFocus(): boolean {
    return this.#frame.contains(document.activeElement);
  }

  #keep(page: GridPage, summary: RunSummary): void {
    this.#page = page;
    this.#summary = summary;
    this.#undo.setAttribute('aria-disabled', String(this.#history.undos === 0));
    this.#reset.setAttribute('aria-disabled', String(!this.#history.isChanged));
  }

  // Drawing

  #build(): void {
    const [context, page] = [this.#context, this.#page];
    if (!context || !page || this.#width === 0) return;
    const { geometry, dataset } = context;
    const isBeside = fits(geometry, (this.#width - SIDE - 2 * GAP) / 3);
    const isNarrow = this.#width < NARROW;
    const room = isBeside
      ? (this.#width - SIDE - 2 * GAP) / 3
      : this.#width - (isNarrow ? SIDE_NARROW : SIDE);
    this.#frame.classList.toggle('narrow', isNarrow);
    this.#lines = linesOf(geometry, room);
    this.#frame.classList.toggle('beside', isBeside);
    const hadFocus = this.#frame.contains(document.activeElement) ? this.#focusedPanel() : undefined;
    const [first] = dataset.axes;
    const rank = dataset.axes.length;
    const names = Array.from({ length: page.samples }, (_, s) => page.from + s);
    const last = dataset.axes.at(-1);
    const nounOf = (d: number): string => (dataset.axes[d]?.noun ?? `axis ${d}`).replace(/s$/, '');
    const texts = {
      samples: names.map((i) => ({
        number: rank > 1 ? String(i) : 'x',
        name: rank > 1 ? first?.names?.[i] : undefined,
        noun: this.#noun,
      })),
      columns: Array.from({ length: geometry.columns }, (_, c) =>
        (this.#lines?.cell ?? 0) >= 44 ? (last?.names?.[c] ?? String(c)) : String(c),
      ),
      blocks:
        geometry.blocks === 1 && geometry.rows === 1
          ? []
          : Array.from({ length: geometry.blocks }, (_, b) => {
              const index = indexIn(shapeOf(dataset), geometry.blockDims, b);
              return geometry.blockDims.map((d, i) => `${nounOf(d)} ${index[i]}`).join(', ');
            }),
      cellCode: (place: Place) => codeOf(this.#indexOf(place)),
    };
    for (const panel of this.#panels) panel.build(geometry, page.samples, this.#lines, texts);
    const places = names.flatMap((_, s) =>
      geometry.offsets.map((_, cell) => this.#indexOf({ sample: s, cell })),
    );
    const groupsIn = (layout: Layout) => places.map((index) => groupAt(layout, index).group);
    this.#groups = [groupsIn(context.layout), groupsIn(context.contrast.layout)];
    this.#paint();
    hadFocus?.cellAt(this.#picked)?.focus();
  }

  #paint(): void {
    const [page, summary, context] = [this.#page, this.#summary, this.#context];
    if (!page || !summary || !context || !this.#lines) return;
    const scale = divergingScale(this.#reach);
    this.#before.paint(page.x, scale);
    this.#after.paint(page.y, scale);
    this.#beside.paint(page.contrast, scale);
    const titles = [
      'Before',
      `After: ${WORDS[summary.settings.method].title.toLowerCase()} normalization`,
      `Or: ${WORDS[context.contrast.method].title.toLowerCase()} normalization`,
    ];
    for (const [i, panel] of this.#panels.entries()) panel.title.textContent = titles[i] as string;
    this.#showCaption(page, summary, context);
    this.#mark();
  }

  #mark(): void {
    const [page, summary, context] = [this.#page, this.#summary, this.#context];
    if (!page || !summary || !context || !this.#lines) return;
    const shown = this.#pointed ?? this.#picked;
    const at = this.#flatOf(shown);
    const [own, other] = this.#groups;
    const isOwn = (i: number) => own[i] === own[at];
    const isOther = (i: number) => other[i] === other[at];
    const cells = page.moved?.cells;
    this.#before.mark(shown, this.#isPinned, isOwn, cells?.x);
    this.#after.mark(shown, this.#isPinned, isOwn, cells?.y);
    this.#beside.mark(shown, this.#isPinned, isOther, cells?.contrast);
    const active = document.activeElement;
    const tool = active instanceof HTMLElement && active.closest('.grid-tools') ? active : undefined;
    this.#before.rove(this.#picked, tool);
    this.#after.rove(this.#picked);
    this.#beside.rove(this.#picked);
    // It keeps its place, so that nothing moves under a finger.
    this.#unpin.style.visibility = this.#isPinned ? '' : 'hidden';
    this.#frame.classList.toggle('pinned', this.#isPinned);
    this.#showReadouts(page, summary, context, at);
    this.#handlers.onFocus(this.#indexOf(shown));
  }

  /** What the cell in focus is in each panel, and who has a say in it. */
  #showReadouts(page: GridPage, summary: RunSummary, context: Context, at: number): void {
    const index = this.#indexOf(this.#pointed ?? this.#picked);
    const { samples } = context.geometry;
    const statistics = (layout: Layout, group: number, mean: number, scale: number, method: MethodName) => {
      const spans = spansOf(layout, group);
      const size = spans.reduce((product, [from, to]) => product * (to - from), 1);
      const [from, to] = shapeOf(context.dataset).length > 1 ? (spans[0] as [number, number]) : [0, 1];
      const isStd = WORDS[method].scale.short === 'std';
      const what = isStd
        ? `mean ${significant(mean, 3)}, variance ${significant(scale * scale, 3)}`
        : `${WORDS[method].scale.long} ${significant(scale, 3)}`;
      return [`: ${what}`, ` of ${sharers(size, from, to, samples, this.#noun)}`].map((part) =>
        el('span', {}, part),
      );
    };
    const value = (values: Float64Array) => el('b', {}, significant(values[at] as number));
    const [own, other] = this.#groups;
    this.#before.readout.replaceChildren(
      el('code', {}, codeOf(index)),
      ' = ',
      value(page.x),
      this.#isPinned ? ', pinned' : '',
    );
    this.#after.readout.replaceChildren(
      value(page.y),
      ...statistics(
        context.layout,
        own[at] as number,
        page.mean[at] as number,
        page.scale[at] as number,
        summary.settings.method,
      ),
    );
    this.#beside.readout.replaceChildren(
      value(page.contrast),
      ...statistics(
        context.contrast.layout,
        other[at] as number,
        page.contrastMean[at] as number,
        page.contrastScale[at] as number,
        context.contrast.method,
      ),
    );
  }

  #showCaption(page: GridPage, { settings }: RunSummary, { geometry, dataset }: Context): void {
    const drawn = geometry.offsets.length;
    const last = page.from + page.samples;
    const sentences: string[] = [];
    if (page.samples < geometry.samples) {
      sentences.push(
        `${this.#noun === 'row' ? 'Rows' : 'Samples'} ${whole(page.from)} to ${whole(last - 1)} of ${whole(geometry.samples)} are drawn.`,
      );
    }
    if (drawn < geometry.size) {
      sentences.push(
        `${whole(drawn)} of the ${whole(geometry.size)} numbers of a ${this.#noun} are drawn; all are computed.`,
      );
    }
    if (settings.gamma !== undefined || settings.beta !== undefined) {
      sentences.push('What stands beside has neither gamma nor beta.');
    }
    if (!hasBatch(dataset)) sentences.push('A picture is a batch of one.');
    const beyond = (sign: number) =>
      [page.x, page.y, page.contrast].some((values) => values.some((value) => value * sign > this.#reach));
    const end = significant(this.#reach, 3);
    const key = (name: string, text: string) =>
      el('span', { class: 'grid-key' }, el('span', { class: `grid-swatch ${name}` }), text);
    this.#caption.replaceChildren(
      legend('Colours in all three', 'diverging', [
        `${beyond(-1) ? '≤ ' : ''}−${end}`,
        '0',
        `${beyond(1) ? '≥ ' : ''}${end}`,
      ]),
      el(
        'p',
        {},
        key('same', 'shares a statistic with the cell in focus'),
        key('moved', 'moved with the last change'),
        sentences.join(' '),
      ),
    );
  }

  #sayMoved(change: Change): void {
    const [page, summary, context] = [this.#page, this.#summary, this.#context];
    if (!page?.moved || !summary || !context) return;
    const code =
      change.kind === 'set'
        ? codeOf(
            indexIn(
              shapeOf(context.dataset),
              context.dataset.axes.map((_, d) => d),
              change.index,
            ),
          )
        : '';
    const start = changeSentence(change, code, this.#noun);
    const methods = [summary.settings.method, context.contrast.method] as const;
    const sentence = movedSentence(start, page.moved, methods, this.#reach, this.#noun);
    this.#handlers.say(sentence);
    this.#moved.classList.add('has-moved');
    if (page.moved.x.values === 0) {
      this.#moved.textContent = sentence;
      return;
    }
    const parts = [page.moved.y, page.moved.contrast].map((movement, i) => {
      const words = movementWords(methods[i] as MethodName, movement, this.#reach, this.#noun);
      return el(
        'span',
        { class: 'grid-movement' },
        `${words.method}: `,
        el('b', {}, words.count),
        `${words.remark ? `, ${words.remark}` : ''}.`,
      );
    });
    this.#moved.replaceChildren(
      el('span', { class: 'grid-movement' }, start),
      ' ',
      parts[0] as Node,
      ' ',
      parts[1] as Node,
    );
  }

  // Places

  get #noun(): string {
    return this.#context && !hasBatch(this.#context.dataset) ? 'row' : 'sample';
  }

  /** The number of a cell on the page. */
  #flatOf({ sample, cell }: Place): number {
    return sample * (this.#context?.geometry.offsets.length ?? 1) + cell;
  }

  /** Where an element lies in x. */
  #elementOf({ sample, cell }: Place): number {
    const { size, offsets } = this.#context?.geometry ?? { size: 1, offsets: [0] };
    return ((this.#page?.from ?? 0) + sample) * size + (offsets[cell] ?? 0);
  }

  #indexOf(place: Place): number[] {
    const axes = this.#context?.dataset.axes ?? [];
    return indexIn(
      axes.map(({ size }) => size),
      axes.map((_, d) => d),
      this.#elementOf(place),
    );
  }

  #focusedPanel(): Panel {
    return this.#panels.find(({ grid }) => grid.contains(document.activeElement)) ?? this.#before;
  }

  #valueAt(place: Place): number {
    return this.#page?.x[this.#flatOf(place)] ?? 0;
  }

  #stepOf(sample: number): number {
    const page = this.#page;
    if (!page) return 1;
    const number = page.from + sample;
    const known = this.#steps.get(number);
    if (known !== undefined) return known;
    const n = this.#context?.geometry.offsets.length ?? 1;
    const step = stepFor([...page.x.subarray(sample * n, (sample + 1) * n)]);
    this.#steps.set(number, step);
    return step;
  }

  // Pointing, holding and keys

  #listen(panel: Panel): void {
    const { grid } = panel;
    grid.addEventListener('pointerover', (event) => {
      if (event.pointerType !== 'touch') this.#point(panel.placeOf(event));
    });
    grid.addEventListener('click', (event) => {
      const place = panel.placeOf(event);
      if (!place) return;
      this.#picked = place;
      this.#pin(true);
      panel.cellAt(place)?.focus();
    });
    // However the focus came there.
    grid.addEventListener('focusin', (event) => {
      const place = panel.placeOf(event);
      if (!place || this.#input.isOpen) return;
      if (place.sample === this.#picked.sample && place.cell === this.#picked.cell) return;
      this.#picked = place;
      this.#mark();
    });
    grid.addEventListener('dblclick', (event) => {
      const place = panel.placeOf(event);
      if (place) this.#edit(place);
    });
    grid.addEventListener('keydown', (event) => this.#onKey(event, panel));
  }

  #point(place: Place | undefined): void {
    if (this.#isPinned || this.#drag || this.#input.isOpen) return;
    if (place?.sample === this.#pointed?.sample && place?.cell === this.#pointed?.cell) return;
    this.#pointed = place;
    this.#mark();
  }

  #pin(isPinned: boolean): void {
    this.#isPinned = isPinned;
    this.#pointed = undefined;
    this.#mark();
  }

  #onShortcut(event: KeyboardEvent): void {
    if (event.target instanceof HTMLInputElement) return;
    if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
      event.preventDefault();
      this.#take('undo');
    }
  }

  #onKey(event: KeyboardEvent, panel: Panel): void {
    const lines = this.#lines?.lines;
    const page = this.#page;
    if (!lines || !page || event.altKey || event.metaKey) return;
    if (event.target instanceof HTMLElement && event.target.closest('.grid-tools')) {
      this.#onToolKey(event, event.target);
      return;
    }
    const { sample, cell } = this.#picked;
    const line = lines.findIndex((one) => one.includes(cell));
    const column = lines[line]?.indexOf(cell) ?? 0;
    const last = lines.length - 1;
    const at = (l: number, c: number): number => {
      const cells = lines[l] as readonly number[];
      return cells[Math.min(c, cells.length - 1)] as number;
    };
    const move = (place: Place) => {
      event.preventDefault();
      if (place.sample < 0 || place.sample >= page.samples)
        this.#handlers.onLeave(place.sample < 0 ? -1 : 1, place);
      else {
        this.go(place, false);
        panel.cellAt(this.#picked)?.focus();
        this.#sayPlace();
      }
    };
    if (event.ctrlKey) {
      if (event.key === 'Home') move({ sample: 0, cell: at(0, 0) });
      if (event.key === 'End') move({ sample: page.samples - 1, cell: at(last, Number.POSITIVE_INFINITY) });
      return;
    }
    switch (event.key) {
      case 'ArrowRight':
        move({ sample, cell: at(line, column + 1) });
        return;
      case 'ArrowLeft':
        if (column > 0 || panel !== this.#before) move({ sample, cell: at(line, Math.max(0, column - 1)) });
        else {
          event.preventDefault();
          this.#focusTool(this.#before.toolsOf(sample).at(-1));
        }
        return;
      case 'ArrowDown':
        if (line < last) move({ sample, cell: at(line + 1, column) });
        else move({ sample: sample + 1, cell: at(0, column) });
        return;
      case 'ArrowUp':
        if (line > 0) move({ sample, cell: at(line - 1, column) });
        else move({ sample: sample - 1, cell: at(last, column) });
        return;
      case 'Home':
        move({ sample, cell: at(line, 0) });
        return;
      case 'End':
        move({ sample, cell: at(line, Number.POSITIVE_INFINITY) });
        return;
      case 'PageDown':
      case 'PageUp':
        event.preventDefault();
        this.#handlers.onLeave(event.key === 'PageDown' ? 1 : -1, this.#picked);
        return;
      case ' ':
        event.preventDefault();
        this.#pin(!this.#isPinned);
        return;
      case 'Escape':
        if (this.#drag?.isMoving) this.#cancelDrag();
        else this.#pin(false);
        return;
    }
    if (panel !== this.#before) return;
    if (event.key === 'Enter' || event.key === 'F2') {
      event.preventDefault();
      this.#edit(this.#picked);
    } else if (event.key === '+' || event.key === '-' || event.key === '−') {
      event.preventDefault();
      this.#step(event.key === '+' ? 1 : -1, event.repeat);
    } else if (/^[\d.,]$/.test(event.key)) {
      event.preventDefault();
      this.#edit(this.#picked, event.key);
    }
  }

  /** The buttons of a sample stand before its cells. */
  #onToolKey(event: KeyboardEvent, button: HTMLElement): void {
    const { sample } = this.#picked;
    const tools = this.#before.toolsOf(sample);
    const i = tools.indexOf(button);
    const samples = this.#page?.samples ?? 1;
    const toSample = (to: number) => {
      if (to < 0 || to >= samples) return;
      this.#picked = { sample: to, cell: 0 };
      this.#mark();
      this.#focusTool(this.#before.toolsOf(to)[i]);
    };
    switch (event.key) {
      case 'ArrowRight':
        if (i < tools.length - 1) this.#focusTool(tools[i + 1]);
        else this.go({ sample, cell: 0 }, true);
        break;
      case 'ArrowLeft':
        this.#focusTool(tools[i - 1]);
        break;
      case 'ArrowDown':
        toSample(sample + 1);
        break;
      case 'ArrowUp':
        toSample(sample - 1);
        break;
      case 'Home':
      case 'End':
      case 'Escape':
        this.go({ sample, cell: 0 }, true);
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #focusTool(tool: HTMLElement | undefined): void {
    if (!tool) return;
    this.#before.rove(this.#picked, tool);
    tool.focus();
  }

  #sayPlace(): void {
    const [page, summary, context] = [this.#page, this.#summary, this.#context];
    if (!page || !summary || !context) return;
    const at = this.#flatOf(this.#picked);
    const number = (values: Float64Array) => significant(values[at] as number);
    this.#handlers.say(
      `${codeOf(this.#indexOf(this.#picked))}: ${number(page.x)} becomes ${number(page.y)}; ` +
        `with ${context.contrast.method} normalization ${number(page.contrast)}.`,
    );
  }

  // Changing numbers

  #take(kind: 'undo' | 'reset'): void {
    if (kind === 'undo' ? this.#history.undos === 0 : !this.#history.isChanged) return;
    this.#handlers.onEdit({ kind }, false);
  }

  #set(place: Place, value: number, goesOn: boolean): void {
    this.#handlers.onEdit({ kind: 'set', index: this.#elementOf(place), value }, goesOn);
  }

  #edit(place: Place, typed?: string): void {
    const cell = this.#before.cellAt(place);
    if (!cell) return;
    this.#picked = place;
    this.#pin(true);
    const value = this.#valueAt(place);
    this.#input.open(
      cell,
      {
        label: `${codeOf(this.#indexOf(place))}, new number`,
        text: typed ?? (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : String(value)),
        isTyped: typed !== undefined,
      },
      (number) => this.#set(place, number, false),
      (byKey) => {
        if (byKey) cell.focus();
      },
    );
  }

  #step(direction: 1 | -1, goesOn: boolean): void {
    const place = this.#picked;
    const value = this.#valueAt(place);
    const step = this.#stepOf(place.sample);
    this.#set(place, tidy((Number.isFinite(value) ? value : 0) + direction * step), goesOn);
  }

  #listenToDrags(): void {
    const { grid } = this.#before;
    grid.addEventListener('pointerdown', (event) => {
      const place = this.#before.placeOf(event);
      if (!place || event.button !== 0 || this.#input.isOpen) return;
      const isHeld =
        this.#isPinned && place.sample === this.#picked.sample && place.cell === this.#picked.cell;
      // The page scrolls with a finger on any cell but the one that has been tapped.
      if (event.pointerType === 'touch' && !isHeld) return;
      const value = this.#valueAt(place);
      this.#drag = {
        pointer: event.pointerId,
        place,
        y: event.clientY,
        value: Number.isFinite(value) ? value : 0,
        step: this.#stepOf(place.sample),
        isMoving: false,
        last: value,
      };
    });
    grid.addEventListener('pointermove', (event) => {
      const drag = this.#drag;
      if (!drag || event.pointerId !== drag.pointer) return;
      const up = drag.y - event.clientY;
      if (!drag.isMoving) {
        if (Math.abs(up) < DRAG_START) return;
        grid.setPointerCapture(drag.pointer);
        this.#picked = drag.place;
        this.#pin(true);
        this.#before.cellAt(drag.place)?.focus({ preventScroll: true });
        this.#frame.classList.add('dragging');
      }
      const value = tidy(drag.value + Math.round(up / DRAG_STEP) * drag.step);
      if (value !== drag.last) this.#set(drag.place, value, drag.isMoving);
      drag.isMoving = true;
      drag.last = value;
    });
    for (const name of ['pointerup', 'pointercancel'] as const) {
      grid.addEventListener(name, (event) => {
        if (event.pointerId === this.#drag?.pointer) this.#endDrag();
      });
    }
  }

  #cancelDrag(): void {
    this.#endDrag();
    this.#handlers.onEdit({ kind: 'undo' }, false);
  }

  #endDrag(): void {
    this.#drag = undefined;
    this.#frame.classList.remove('dragging');
  }

  /** To shift a whole sample, and to scale it. */
  #toolsFor(sample: number): HTMLElement[] {
    const by = tidy(this.#stepOf(sample) * SHIFT_STEPS);
    const number = (this.#page?.from ?? 0) + sample;
    const tool = (text: string, label: string, change: Change) => {
      const one = el(
        'button',
        { type: 'button', class: 'grid-tool', tabindex: -1, 'aria-label': label, title: label },
        text,
      );
      one.addEventListener('click', () => {
        this.#picked = { sample, cell: this.#picked.cell };
        this.#before.rove(this.#picked, one);
        this.#handlers.onEdit(change, false);
      });
      return one;
    };
    const said = significant(by);
    const who = `${this.#noun} ${number}`;
    return [
      tool('−', `Shift ${who} down by ${said}`, { kind: 'shift', sample: number, by: -by }),
      tool('+', `Shift ${who} up by ${said}`, { kind: 'shift', sample: number, by }),
      tool('×2', `Multiply ${who} by 2`, { kind: 'scale', sample: number, by: 2 }),
    ];
  }
}

function button(text: string): HTMLButtonElement {
  return el('button', { type: 'button', class: 'button small' }, text);
}

/** Without what float64 adds in the last digits: 0.30000000000000004. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/** An end of a scale that one can read. */
function roundUp(reach: number): number {
  if (!(reach > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(reach));
  const end = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= reach * 0.999) ?? 10;
  return Number((end * power).toPrecision(3));
}
