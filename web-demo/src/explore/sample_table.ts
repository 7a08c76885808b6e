// The same groups as a table: what the picture shows, in numbers.

import { el } from '../ui/dom.js';
import { columnFormat, significant, whole } from '../ui/format.js';
import type { Page, RunSummary } from './protocol.js';
import { capital, WORDS } from './words.js';

/** Values stand in the table only while it stays a table that one can read. */
const MAX_VALUES = 8;

export class SampleTable {
  readonly #root: HTMLElement;
  readonly #onPick: (sample: number) => void;

  constructor(root: HTMLElement, onPick: (sample: number) => void) {
    this.#root = root;
    this.#onPick = onPick;
  }

  show(page: Page, { groups, size, settings }: RunSummary): void {
    const { group: noun, scale } = WORDS[settings.method];
    const withValues = size <= MAX_VALUES;
    const values = withValues ? page.positionLabels : [];
    const span = values.length + 2;
    const heads = () => [...values, 'mean', scale.short].map((title) => el('th', { scope: 'col' }, title));
    const titles = el('tr', {}, el('td', {}));
    titles.append(
      el('th', { scope: 'colgroup', colspan: span }, 'Before'),
      el('th', { scope: 'colgroup', colspan: span }, 'After'),
    );
    const columns = el('tr', {}, el('th', { scope: 'col' }, capital(noun)));
    columns.append(...heads(), ...heads());

    const finite = (numbers: Iterable<number>) =>
      [...numbers].reduce(
        (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
        0,
      );
    const formatBefore = columnFormat(finite([...page.before.mean, ...page.before.scale]));
    const formatAfter = columnFormat(finite([...page.after.mean, ...page.after.scale]));
    const formatY = columnFormat(finite(page.y));
    const body = el('tbody');
    page.labels.forEach(({ code, name }, s) => {
      const at = s * page.positions.length;
      const cells = (from: Float64Array) => (withValues ? [...from.subarray(at, at + size)] : []);
      const button = el(
        'button',
        { type: 'button', class: 'row-button', 'aria-pressed': 'false' },
        el('code', {}, code),
        name ? ` ${name}` : '',
      );
      const line = el('tr', {}, el('th', { scope: 'row' }, button));
      const add = (text: string, isStatistic = false) =>
        line.append(el('td', { class: isStatistic ? 'statistic' : undefined }, text));
      for (const value of cells(page.x)) add(significant(value));
      add(formatBefore(page.before.mean[s] as number), true);
      add(formatBefore(page.before.scale[s] as number), true);
      for (const value of cells(page.y)) add(formatY(value));
      add(formatAfter(page.after.mean[s] as number), true);
      add(formatAfter(page.after.scale[s] as number), true);
      line.addEventListener('click', () => this.#onPick(s));
      body.append(line);
    });

    const last = page.from + page.labels.length;
    const caption =
      `${capital(noun)}s ${whole(page.from + 1)} to ${whole(last)} of ${whole(groups)}` +
      (withValues ? '' : `, each of ${whole(size)} elements. Choose one to see its elements below`);
    const group = () => el('colgroup', { span });
    this.#root.replaceChildren(
      el(
        'section',
        { class: 'table-scroll', 'aria-label': `${capital(noun)}s as a table` },
        el(
          'table',
          { class: 'samples-table' },
          el('caption', {}, caption),
          el('colgroup', {}),
          group(),
          group(),
          el('thead', {}, titles, columns),
          body,
        ),
      ),
    );
  }

  mark(sample: number): void {
    this.#root.querySelectorAll('tbody tr').forEach((line, s) => {
      line.classList.toggle('chosen', s === sample);
      line.querySelector('button')?.setAttribute('aria-pressed', String(s === sample));
    });
  }
}
