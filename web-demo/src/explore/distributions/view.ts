// How the elements of a sample lie before and after, all of them: a histogram of the one in focus, and those of its neighbours on
// one axis.

import type { Label } from '../../compute/groups.js';
import { count } from '../../parse/dataset.js';
import { byId, el, showError } from '../../ui/dom.js';
import { significant, whole } from '../../ui/format.js';
import { onWidth } from '../../ui/plot.js';
import type { WorkClient } from '../../worker/client.js';
import type { Finding, Page, Requests, RunSummary } from '../protocol.js';
import { near } from '../sample_panel.js';
import { capital, WORDS } from '../words.js';
import './distributions.css';
import type { Distribution, Sides } from './distribution.js';
import { oneFigure, rowsFigure, type Side } from './figures.js';
import { shapeText, statisticsText, togetherText } from './words.js';

/** So many samples stand below each other. */
const MAX_ROWS = 12;
/** Characters of a name that stands beside a row, at most. */
const MAX_NAME = 18;

const SIDES: readonly Side[] = ['before', 'after'];

interface Wanted {
  /** Which group it is, of all. */
  readonly group: number;
  readonly label: Label;
  readonly summary: RunSummary;
}

/** Groups on one axis. */
interface Rows {
  readonly run: number;
  readonly first: number;
  readonly sides: Sides<readonly Distribution[]>;
  readonly labels: readonly Label[];
}

export class Distributions {
  readonly #client: Pick<WorkClient<Requests, Finding>, 'request'>;
  readonly #root = byId('distributions');
  readonly #error = el('p', { class: 'notice error', role: 'alert', hidden: true });
  readonly #one = new Pair('distribution-one', 'Histogram as a table');
  readonly #several = new Pair('distribution-several', 'Samples on one axis as a table');
  readonly #severalTitle = el('h3', { class: 'distributions-title' });
  #wanted: Wanted | undefined;
  #shown: Wanted | undefined;
  #rows: Rows | undefined;
  #isBusy = false;

  constructor(client: Pick<WorkClient<Requests, Finding>, 'request'>) {
    this.#client = client;
    this.#root.append(
      el('h2', { id: 'distributions-title' }, 'Distributions'),
      this.#error,
      this.#one.element,
      this.#severalTitle,
      this.#several.element,
    );
  }

  /**
   * Shows a sample of a page, and those around it, whether they are on the page or not. May be called often: while one is fetched, only the last that has been asked
   * for waits.
   */
  show(page: Page, sample: number, summary: RunSummary): void {
    const [label, group] = [page.labels[sample], page.from + sample];
    const { group: last, summary: lastSummary } = this.#wanted ?? {};
    // A page that is late is not of the run that is asked for.
    if (!label || page.run !== summary.run) return;
    if (group === last && summary.run === lastSummary?.run) return;
    this.#wanted = { group, label, summary };
    void this.#follow();
  }

  hide(): void {
    this.#wanted = undefined;
    this.#root.hidden = true;
  }

  async #follow(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#wanted && this.#wanted !== this.#shown) {
      const wanted = this.#wanted;
      try {
        await this.#fetch(wanted);
        showError(this.#error, undefined);
      } catch (error) {
        if (wanted === this.#wanted) showError(this.#error, error as Error);
      }
      this.#shown = wanted;
    }
    this.#isBusy = false;
  }

  async #fetch(wanted: Wanted): Promise<void> {
    const { group, summary } = wanted;
    const { run, groups } = summary;
    const rowCount = Math.min(MAX_ROWS, groups);
    // Blocks, so that the rows stay where they are while one goes from sample to sample.
    const first = Math.min(group - (group % MAX_ROWS), groups - rowCount);
    const known = this.#rows?.run === run && this.#rows.first === first ? this.#rows : undefined;
    const [sides, rows] = await Promise.all([
      this.#client.request('distribution', { run, group }),
      known ?? this.#fetchRows(run, first, rowCount),
    ]);
    // Without an answer there is another result by now, which is asked for when it is shown.
    // What is a little behind is drawn all the same: with a camera there is always something newer.
    if (!sides || !rows || !this.#wanted) return;
    this.#rows = rows;
    this.#root.hidden = false;
    this.#draw(wanted, sides, rows);
  }

  async #fetchRows(run: number, first: number, count: number): Promise<Rows | undefined> {
    const found = await this.#client.request('distributions', { run, from: first, count });
    return found && { run, first, sides: found, labels: found.labels };
  }

  #draw(
    { group, label: { code, name }, summary }: Wanted,
    sides: Sides<Distribution>,
    { first, sides: rows, labels }: Rows,
  ): void {
    const { settings, size } = summary;
    const { group: noun } = WORDS[settings.method];
    const bins = sides.before.bins.count;
    this.#one.show(
      (side, width) => oneFigure(side, sides[side], width),
      [
        el('p', {}, el('code', {}, code), name ? ` ${name}` : '', `: ${inBins(size, bins)}. `),
        el('p', {}, `Before: ${statisticsText(sides.before)}. After: ${statisticsText(sides.after)}.`),
        el(
          'p',
          {},
          'The line marks the mean, band and bracket one standard deviation to both sides. ',
          shapeText(sides, settings),
        ),
      ],
      binTable(sides),
    );

    const isSingle = summary.groups === 1;
    this.#severalTitle.hidden = isSingle;
    this.#several.element.hidden = isSingle;
    if (isSingle) return;
    this.#severalTitle.textContent = `${capital(noun)} by ${noun}, on one axis`;
    const [from, to] = [first + 1, first + labels.length];
    const which = `${capital(noun)}s ${whole(from)} to ${whole(to)} of ${whole(summary.groups)}. `;
    this.#several.show(
      (side, width) => rowsFigure(side, rows[side], shortLabels(labels), group - first, width),
      [el('p', {}, which, togetherText(settings))],
      rowTable(
        capital(noun),
        labels.map(({ code, name }) => (name ? `${code} ${name}` : code)),
        rows,
      ),
    );
  }
}

/** Two charts side by side, or one below the other, with what they show in words and as a table. */
class Pair {
  readonly element: HTMLElement;
  readonly #caption = el('figcaption', { class: 'distribution-caption' });
  readonly #table: HTMLElement;
  readonly #plots = new Map(SIDES.map((side) => [side, el('div', { class: 'distribution-plot' })]));
  readonly #widths = new Map<Side, number>();
  #figure: ((side: Side, width: number) => SVGSVGElement) | undefined;

  constructor(id: string, tableName: string) {
    // It scrolls sideways on a narrow screen, which takes the focus without a pointer.
    this.#table = el('section', { class: 'table-scroll', 'aria-label': tableName, tabindex: 0 });
    const panels = el('div', { class: 'distribution-panels' });
    for (const [side, plot] of this.#plots) {
      panels.append(el('div', {}, el('p', { class: 'pane-title' }, capital(side)), plot));
      onWidth(plot, (width) => {
        this.#widths.set(side, width);
        this.#redraw(side);
      });
    }
    this.element = el(
      'figure',
      { class: 'distribution', id },
      this.#caption,
      panels,
      el('details', {}, el('summary', {}, 'As a table'), this.#table),
    );
  }

  show(
    figure: (side: Side, width: number) => SVGSVGElement,
    caption: readonly Node[],
    table: HTMLTableElement,
  ): void {
    this.#figure = figure;
    this.#caption.replaceChildren(...caption);
    this.#table.replaceChildren(table);
    for (const side of SIDES) this.#redraw(side);
  }

  #redraw(side: Side): void {
    const width = this.#widths.get(side);
    if (width && this.#figure) this.#plots.get(side)?.replaceChildren(this.#figure(side, width));
  }
}

/** Their names where each has a short one of its own, else their codes. */
function shortLabels(labels: readonly Label[]): readonly string[] {
  const names = new Set(labels.map(({ name }) => name));
  const isShort = [...names].every((name) => name !== undefined && name.length <= MAX_NAME);
  return labels.map(({ code, name }) => (isShort && names.size === labels.length && name) || code);
}

function inBins(size: number, bins: number): string {
  return bins === 0 ? count(size, 'element') : `${count(size, 'element')} in ${count(bins, 'bin')}`;
}

/** From, to and count of every bin. */
function binTable({ before, after }: Sides<Distribution>): HTMLTableElement {
  const body = el('tbody');
  for (let bin = 0; bin < Math.max(before.bins.count, after.bins.count); bin++) {
    const line = el('tr', {}, el('th', { scope: 'row' }, whole(bin + 1)));
    for (const { bins, counts } of [before, after]) {
      const end = (i: number) => significant(bins.low + ((bins.high - bins.low) * i) / bins.count);
      const cells = bin < bins.count ? [end(bin), end(bin + 1), whole(counts[bin] as number)] : ['', '', ''];
      line.append(...cells.map((text) => el('td', {}, text)));
    }
    body.append(line);
  }
  return table('Elements in each bin', 'Bin', ['from', 'to', 'elements'], body);
}

function rowTable(
  noun: string,
  labels: readonly string[],
  { before, after }: Sides<readonly Distribution[]>,
): HTMLTableElement {
  const body = el('tbody');
  labels.forEach((label, r) => {
    const line = el('tr', {}, el('th', { scope: 'row' }, label));
    for (const { mean, std, extent } of [before[r], after[r]] as Distribution[]) {
      const cells = [near(mean, std), significant(std), significant(extent.min), significant(extent.max)];
      line.append(...cells.map((text) => el('td', {}, text)));
    }
    body.append(line);
  });
  const caption = 'Mean, standard deviation, and the least and largest finite element';
  return table(caption, noun, ['mean', 'std', 'least', 'largest'], body);
}

/** The same columns before and after. */
function table(
  caption: string,
  first: string,
  columns: readonly string[],
  body: HTMLElement,
): HTMLTableElement {
  const top = el('tr', {}, el('td'));
  for (const title of ['Before', 'After']) {
    top.append(el('th', { scope: 'colgroup', colspan: columns.length }, title));
  }
  const heads = el('tr', {}, el('th', { scope: 'col' }, first));
  heads.append(...[...columns, ...columns].map((title) => el('th', { scope: 'col' }, title)));
  const group = () => el('colgroup', { span: columns.length });
  return el(
    'table',
    { class: 'distribution-table' },
    el('caption', {}, caption),
    el('colgroup'),
    group(),
    group(),
    el('thead', {}, top, heads),
    body,
  );
}
