// A number by slider and by box, both of which always say the same.

import { el } from './dom.js';

export interface NumberSliderOptions {
  readonly id: string;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  /** Of the slider; of its powers of ten where that is what it goes by. */
  readonly step: number;
  /** Whether the slider goes by powers of ten. min is above 0 then. */
  readonly isLogarithmic?: boolean;
  readonly value: number;
  /** What a screen reader says of the slider's value, such as '10 to the power of 6'. */
  readonly valueText?: (value: number) => string;
  /** Called with every number that is chosen; not with text that is none, nor with numbers beyond min and max. */
  readonly onChange: (value: number) => void;
}

export class NumberSlider {
  readonly element: HTMLElement;
  readonly #options: NumberSliderOptions;
  readonly #range: HTMLInputElement;
  readonly #box: HTMLInputElement;
  #value: number;

  constructor(options: NumberSliderOptions) {
    const { id, label, min, max, step, value } = options;
    this.#options = options;
    this.#value = value;
    this.#range = el('input', {
      type: 'range',
      id: `${id}-range`,
      min: this.#toRange(min),
      max: this.#toRange(max),
      step,
      value: this.#toRange(value),
      'aria-label': label,
    });
    this.#box = el('input', { type: 'number', class: 'number', id, min, max, step: 'any', value });
    this.element = el(
      'div',
      { class: 'number-slider' },
      el('label', { for: id }, label),
      el('div', { class: 'number-slider-inputs' }, this.#range, this.#box),
    );
    this.#range.addEventListener('input', () => {
      this.#choose(this.#fromRange(this.#range.valueAsNumber), () => {
        this.#box.value = String(this.#value);
      });
    });
    this.#box.addEventListener('input', () => {
      this.#choose(this.#box.valueAsNumber, () => {
        this.#range.value = String(this.#toRange(this.#value));
      });
    });
    this.#mark();
  }

  get value(): number {
    return this.#value;
  }

  /** Without a call of `onChange`. */
  set value(value: number) {
    this.#value = value;
    this.#range.value = String(this.#toRange(value));
    this.#box.value = String(value);
    this.#box.removeAttribute('aria-invalid');
    this.#mark();
  }

  #toRange(value: number): number {
    return this.#options.isLogarithmic ? Math.log10(value) : value;
  }

  #fromRange(value: number): number {
    return this.#options.isLogarithmic ? Number((10 ** value).toPrecision(2)) : value;
  }

  #choose(value: number, moveOther: () => void): void {
    const { min, max, onChange } = this.#options;
    const isGood = value >= min && value <= max;
    if (isGood) this.#box.removeAttribute('aria-invalid');
    else this.#box.setAttribute('aria-invalid', 'true');
    if (!isGood) return;
    this.#value = value;
    moveOther();
    this.#mark();
    onChange(value);
  }

  #mark(): void {
    const { valueText } = this.#options;
    if (valueText) this.#range.setAttribute('aria-valuetext', valueText(this.#value));
  }
}
