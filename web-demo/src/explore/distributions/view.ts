// How the elements of a sample lie before and after, all of them: a histogram of the one in focus, and those of its neighbours on
// one axis.

import { count } from '../../parse/dataset.js';
import { byId, el, showError } from '../../ui/dom.js';
import { significant, whole } from '../../ui/format.js';
import { onWidth } from '../../ui/plot.js';
import type { WorkClient } from '../../work/client.js';
import type { Finding, Page, Requests, RunSummary } from '../protocol.js';
import { near } from '../sample_panel.js';
import { capital, WORDS } from '../words.js';
import './distributions.css';
import type { Distribution, Sides } from './distribution.js';
import { oneFigure, rowsFigure, type Side } from './figures.js';
import { shapeText, statisticsText, togetherText } from './words.js';

/** So many samples stand below each other. */
const MAX_ROWS = 12;

const SIDES: readonly Side[] = ['before', 'after'];

interface Wanted {
  readonly page: Page;
  readonly sample: number;
  readonly summary: RunSummary;
}

/** Samples on one axis, the first of which is this one of the page. */
interface Rows {
  readonly page: Page;
  readonly first: number;
  readonly sides: Sides<readonly Distribution[]>;
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
   * Shows a sample of a page, and those around it. May be called often: while one is fetched, only the last that has been asked
   * for waits.
   */
  show(page: Page, sample: number, summary: RunSummary): void {
    if (page === this.#wanted?.page && sample === this.#wanted.sample) return;
    this.#wanted = { page, sample, summary };
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
    const { page, sample } = wanted;
    const { run } = page;
    const rowCount = Math.min(MAX_ROWS, page.labels.length);
    // Blocks, so that the rows stay where they are while one goes from sample to sample.
    const block = sample - (sample % MAX_ROWS);
    const first = Math.min(block, page.labels.length - rowCount);
    const hasRows = this.#rows?.page === page && this.#rows.first === first;
    const [sides, rows] = await Promise.all([
      this.#client.request('distribution', { run, group: page.from + sample }),
      hasRows
        ? this.#rows?.sides
        : this.#client.request('distributions', { run, from: page.from + first, count: rowCount }),
    ]);
    // Without an answer there is another result by now, which is asked for when it is shown.
    if (!sides || !rows || this.#wanted?.page !== page) return;
    this.#rows = { page, first, sides: rows };
    this.#root.hidden = false;
    this.#draw(wanted, sides, this.#rows);
  }

  #draw({ page, sample, summary }: Wanted, sides: Sides<Distribution>, { first, sides: rows }: Rows): void {
    const { settings, size } = summary;
    const { group } = WORDS[settings.method];
    const { code, name } = page.labels[sample] ?? { code: '' };
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

    const labels = page.labels.slice(first, first + rows.before.length);
    const isSingle = summary.groups === 1;
    this.#severalTitle.hidden = isSingle;
    this.#several.element.hidden = isSingle;
    if (isSingle) return;
    this.#severalTitle.textContent = `${capital(group)} by ${group}, on one axis`;
    const [from, to] = [page.from + first + 1, page.from + first + labels.length];
    const which = `${capital(group)}s ${whole(from)} to ${whole(to)} of ${whole(summary.groups)}. `;
    this.#several.show(
      (side, width) =>
        rowsFigure(
          side,
          rows[side],
          labels.map(({ code }) => code),
          sample - first,
          width,
        ),
      [el('p', {}, which, togetherText(settings))],
      rowTable(
        capital(group),
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
