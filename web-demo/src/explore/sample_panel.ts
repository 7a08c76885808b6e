// One group in numbers: its statistics, the formula for one of its elements, and that one's neighbours in a table.

import { centers, METHODS } from '../compute/methods.js';
import { byId, el } from '../ui/dom.js';
import { columnFormat, significant, whole } from '../ui/format.js';
import { type Element, formulaLines, formulaText, normalized, valuesOf } from './formula.js';
import type { Page, Settings } from './protocol.js';
import { WORDS } from './words.js';

/** Rows of the table of elements. */
const MAX_ELEMENTS = 12;

export class SamplePanel {
  /** Which of the positions of the page stands in the first row. */
  #first = 0;
  readonly #onElement: (element: number) => void;

  /** @param onElement - called when the user picks an element of the table */
  constructor(onElement: (element: number) => void) {
    this.#onElement = onElement;
  }

  /**
   * @param sample - which one of the page
   * @param element - which one of the positions of the page
   * @param size - how many elements the group really has
   */
  show(page: Page, sample: number, element: number, size: number, settings: Settings): void {
    const label = page.labels[sample];
    if (!label) return;
    byId('one').hidden = false;
    const { group } = WORDS[settings.method];
    byId('one-title').textContent = `One ${group} in numbers`;
    byId('elements').setAttribute('aria-label', `Elements of the ${group}`);
    byId('one-name').replaceChildren(
      el('code', {}, label.code),
      label.name ? ` ${label.name}` : '',
      el('span', { class: 'one-statistics' }, describe(page, sample, settings)),
    );
    const nameOf = (e: number): string => nameOfElement(page, sample, e);
    const at = (e: number): Element => elementOf(page, sample, e, settings);
    byId('one-values').replaceChildren(
      ...valuesOf(at(element)).map(({ symbol, name, value }) =>
        el('div', {}, el('dt', {}, symbol, name && el('span', {}, ` ${name}`)), el('dd', {}, value)),
      ),
    );
    byId('formula').replaceChildren(
      el('p', { class: 'formula-of' }, nameOf(element)),
      ...formulaLines(at(element)),
    );
    byId('formula-text').textContent = `${nameOf(element)}: ${formulaText(at(element))}`;
    this.#showElements(page, at, nameOf, element, size);
  }

  #showElements(
    page: Page,
    at: (e: number) => Element,
    nameOf: (e: number) => string,
    chosen: number,
    size: number,
  ): void {
    const shown = Math.min(page.positions.length, MAX_ELEMENTS);
    // The rows stay where they are as long as the chosen one is among them.
    this.#first = Math.min(this.#first, chosen, page.positions.length - shown);
    this.#first = Math.max(this.#first, chosen - shown + 1);
    const first = this.#first;
    const elements = Array.from({ length: shown }, (_, i) => at(first + i));
    const hasGamma = page.gamma !== undefined;
    const hasBeta = page.beta !== undefined;
    const formatOf = (pick: (one: Element) => number) =>
      columnFormat(
        elements.reduce((most, one) => {
          const value = Math.abs(pick(one));
          return Number.isFinite(value) && value > most ? value : most;
        }, 0),
        5,
      );
    const columns = [
      { title: 'x', pick: (one: Element) => one.x },
      { title: 'x̂', pick: normalized },
      // Often all alike, and short: 1 rather than 1.0000.
      ...(hasGamma ? [{ title: 'γ', pick: (one: Element) => one.gamma as number, format: significant }] : []),
      ...(hasBeta ? [{ title: 'β', pick: (one: Element) => one.beta as number, format: significant }] : []),
      ...(hasGamma || hasBeta ? [{ title: 'y', pick: (one: Element) => one.y }] : []),
    ].map((column) => ({ format: formatOf(column.pick), ...column }));

    const focused = document.activeElement?.closest('#elements button')?.getAttribute('data-element');
    const body = el('tbody');
    elements.forEach((one, i) => {
      const e = first + i;
      const button = el(
        'button',
        { type: 'button', class: 'row-button', 'aria-pressed': String(e === chosen), 'data-element': e },
        nameOf(e),
      );
      const line = el(
        'tr',
        { class: e === chosen ? 'chosen' : undefined },
        el('th', { scope: 'row' }, button),
      );
      line.append(...columns.map(({ pick, format }) => el('td', {}, format(pick(one)))));
      line.addEventListener('click', () => this.#onElement(e));
      body.append(line);
    });
    const head = el('tr', {}, el('th', { scope: 'col' }, 'Element'));
    head.append(...columns.map(({ title }) => el('th', { scope: 'col' }, title)));
    const caption =
      shown === size
        ? `All ${whole(size)} elements`
        : `${shown} of ${whole(size)} elements, around the chosen one`;
    byId('elements').replaceChildren(
      el(
        'table',
        {},
        el('caption', {}, size === 1 ? 'Its only element' : caption),
        el('thead', {}, head),
        body,
      ),
    );
    if (focused !== null && focused !== undefined) {
      byId('elements').querySelector<HTMLElement>(`[data-element="${focused}"]`)?.focus();
    }
  }
}

export function elementOf(page: Page, sample: number, element: number, settings: Settings): Element {
  const at = sample * page.positions.length + element;
  const method = METHODS[settings.method];
  return {
    x: page.x[at] as number,
    y: page.y[at] as number,
    mean: centers(method) ? (page.before.mean[sample] as number) : undefined,
    scale: page.before.scale[sample] as number,
    kind: method.scale,
    rstd: page.rstd[sample] as number,
    epsilon: settings.epsilon,
    gamma: page.gamma?.[at],
    beta: page.beta?.[at],
  };
}

/** What an element is called, in its group where that makes a difference. */
export function nameOfElement(page: Page, sample: number, element: number): string {
  return (page.ownLabels?.[sample] ?? page.positionLabels)[element] ?? '';
}

/** Rounding leaves a mean of some 1e-9 in place of 0: next to the deviation that is nothing. */
export function near(mean: number, scale: number): string {
  return significant(Math.abs(mean) < 1e-5 * scale ? 0 : mean);
}

/** A group's statistics in one sentence. */
export function describe(page: Page, sample: number, { method }: Settings): string {
  const [mean, scale] = [page.before.mean[sample] as number, page.before.scale[sample] as number];
  const [meanAfter, scaleAfter] = [page.after.mean[sample] as number, page.after.scale[sample] as number];
  return (
    `mean ${significant(mean)}, ${WORDS[method].scale.long} ${significant(scale)}; ` +
    `after: ${near(meanAfter, scaleAfter)} and ${significant(scaleAfter)}`
  );
}
