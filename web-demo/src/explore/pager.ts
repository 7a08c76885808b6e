// Long lists, a page at a time.

import { byId, el } from '../ui/dom.js';
import { whole } from '../ui/format.js';

/** Samples on a page. */
export const PAGE_SIZE = 25;

export class Pager {
  readonly #root = byId('pager');
  readonly #previous = el('button', { type: 'button', class: 'button' }, 'Previous');
  readonly #next = el('button', { type: 'button', class: 'button' }, 'Next');
  readonly #input = el('input', { type: 'number', class: 'number', min: 1, step: 1 });
  readonly #of = el('span');
  #page = 0;
  #pages = 1;

  /** @param onPage - called with the page that the user wants, from 0 */
  constructor(onPage: (page: number) => void) {
    this.#previous.addEventListener('click', () => {
      if (this.#page > 0) onPage(this.#page - 1);
    });
    this.#next.addEventListener('click', () => {
      if (this.#page < this.#pages - 1) onPage(this.#page + 1);
    });
    this.#input.addEventListener('change', () => {
      const wanted = Math.round(this.#input.valueAsNumber) - 1;
      if (Number.isNaN(wanted)) this.#input.value = String(this.#page + 1);
      else onPage(Math.min(this.#pages - 1, Math.max(0, wanted)));
    });
    this.#root.append(
      this.#previous,
      el('label', { class: 'pager-page' }, 'Page ', this.#input, this.#of),
      this.#next,
    );
  }

  show(page: number, samples: number, isHidden: boolean, size = PAGE_SIZE): void {
    this.#page = page;
    this.#pages = Math.max(1, Math.ceil(samples / size));
    this.#root.hidden = isHidden || this.#pages === 1;
    this.#input.value = String(page + 1);
    this.#input.max = String(this.#pages);
    this.#of.textContent = ` of ${whole(this.#pages)}`;
    // Unlike `disabled`, this leaves the focus where it is when the last page has been reached.
    this.#previous.setAttribute('aria-disabled', String(page === 0));
    this.#next.setAttribute('aria-disabled', String(page === this.#pages - 1));
  }

  get page(): number {
    return this.#page;
  }

  get pages(): number {
    return this.#pages;
  }
}
