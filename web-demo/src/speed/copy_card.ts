// The result as text, to be copied.

import { el } from '../ui/dom.js';

export class CopyCard {
  readonly element: HTMLElement;
  readonly #button = el(
    'button',
    { class: 'button primary', type: 'button', id: 'speed-copy' },
    'Copy as text',
  );
  readonly #said = el('p', { class: 'hint', id: 'speed-copied', role: 'status' });
  readonly #text = el('textarea', {
    id: 'speed-text',
    rows: 16,
    readonly: true,
    spellcheck: false,
    wrap: 'off',
    'aria-label': 'The result as text',
  });
  readonly #details = el(
    'details',
    { class: 'speed-details' },
    el('summary', {}, 'What is copied'),
    this.#text,
  );

  constructor() {
    this.#button.addEventListener('click', () => void this.#copy());
    this.element = el(
      'section',
      { class: 'card', id: 'speed-take', 'aria-labelledby': 'speed-take-title', hidden: true },
      el(
        'div',
        { class: 'card-head' },
        el('h3', { id: 'speed-take-title' }, 'Take the result with you'),
        this.#button,
      ),
      el(
        'p',
        { class: 'hint speed-intro' },
        'What was measured and what the browser says of itself. Nothing is saved or sent.',
      ),
      this.#said,
      this.#details,
    );
  }

  set text(text: string) {
    this.element.hidden = text === '';
    if (this.#text.value !== text) this.#said.textContent = '';
    this.#text.value = text;
  }

  async #copy(): Promise<void> {
    this.#said.textContent = '';
    try {
      await navigator.clipboard.writeText(this.#text.value);
      this.#said.textContent = 'Copied.';
    } catch {
      // No clipboard here, or it was refused: the person copies what is selected.
      this.#details.open = true;
      this.#text.focus();
      this.#text.select();
      this.#said.textContent =
        'This browser does not let the page copy. The text is selected: copy it yourself.';
    }
  }
}
