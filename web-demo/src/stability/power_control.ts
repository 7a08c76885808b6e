// A number of any size, by a slider over powers of ten and by a box. The slider's first step stands for 0.

import { el, showError } from '../ui/dom.js';
import { plain, tenTo } from './settings.js';
import { powerText } from './words.js';

export interface PowerControlOptions {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  /** Of the slider. */
  readonly exponents: readonly [least: number, most: number];
  /** Of the box. */
  readonly limits: readonly [least: number, most: number];
  /** What 0 means: 'none'. */
  readonly zero: string;
  readonly onChange: () => void;
}

export class PowerControl {
  readonly element: HTMLElement;
  readonly #options: PowerControlOptions;
  readonly #range: HTMLInputElement;
  readonly #box: HTMLInputElement;
  readonly #error: HTMLElement;
  #value = 0;

  constructor(options: PowerControlOptions) {
    const { id, title, hint, exponents, limits } = options;
    this.#options = options;
    this.#range = el('input', {
      type: 'range',
      id: `${id}-range`,
      min: exponents[0] - 1,
      max: exponents[1],
      step: 1,
      'aria-label': `${title}, as a power of ten`,
    });
    this.#box = el('input', {
      type: 'number',
      class: 'number',
      id,
      min: limits[0],
      max: limits[1],
      step: 'any',
      'aria-label': title,
      'aria-describedby': `${id}-hint ${id}-error`,
    });
    this.#error = el('p', { class: 'notice error', id: `${id}-error`, role: 'alert', hidden: true });
    this.element = el(
      'fieldset',
      { class: 'field' },
      el('legend', {}, title),
      el('p', { class: 'hint', id: `${id}-hint` }, hint),
      el('div', { class: 'number-slider-inputs' }, this.#range, this.#box),
      this.#error,
    );
    this.#range.addEventListener('input', () => {
      const exponent = this.#range.valueAsNumber;
      this.#choose(exponent < exponents[0] ? 0 : tenTo(exponent));
      this.#box.value = plain(this.#value);
    });
    this.#box.addEventListener('input', () => this.#readBox());
    this.value = 0;
  }

  get value(): number {
    return this.#value;
  }

  /** Without a call of `onChange`. */
  set value(value: number) {
    this.#value = value;
    if (this.#box.valueAsNumber !== value) this.#box.value = plain(value);
    showError(this.#error, undefined, this.#box);
    this.#moveRange();
  }

  #readBox(): void {
    const [least, most] = this.#options.limits;
    const value = this.#box.valueAsNumber;
    if (value >= least && value <= most) this.#choose(value);
    else {
      const message = `Enter a number from ${plain(least)} to ${plain(most)}, such as 1e-5.`;
      showError(this.#error, { message }, this.#box);
    }
  }

  #choose(value: number): void {
    this.#value = value;
    showError(this.#error, undefined, this.#box);
    this.#moveRange();
    this.#options.onChange();
  }

  /** The slider stands at the nearest power; its text says the number itself. */
  #moveRange(): void {
    const [least, most] = this.#options.exponents;
    const power = Math.round(Math.log10(this.#value));
    const place = this.#value > 0 ? Math.min(most, Math.max(least, power)) : least - 1;
    if (this.#range.valueAsNumber !== place) this.#range.value = String(place);
    const isPower = tenTo(place) === this.#value;
    const text = this.#value === 0 ? this.#options.zero : isPower ? powerText(power) : plain(this.#value);
    this.#range.setAttribute('aria-valuetext', text);
  }
}
