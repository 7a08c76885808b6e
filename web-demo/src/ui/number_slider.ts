// A number by slider and by box, both of which always say the same. Text in the box that is no such number stays there, with what
// is wrong under it.

import { el, showError } from './dom.js';

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
  /** What the box takes, where that is more than the slider reaches: it stands at its end then. */
  readonly limits?: { readonly min: number; readonly max: number };
  /** Label, slider and box in one line, for many below each other. */
  readonly isCompact?: boolean;
  /** What a screen reader says of the slider's value, such as '10 to the power of 6'. */
  readonly valueText?: (value: number) => string;
  /** Called with every number that is chosen; not with text that is none, nor with numbers beyond the limits. */
  readonly onChange: (value: number) => void;
  /** Called when the box holds something that cannot be taken. The value stays what it was. */
  readonly onMistake?: () => void;
}

export class NumberSlider {
  readonly element: HTMLElement;
  readonly #options: NumberSliderOptions;
  readonly #range: HTMLInputElement;
  readonly #box: HTMLInputElement;
  readonly #error: HTMLElement;
  #value: number;
  #mistake: string | undefined;

  constructor(options: NumberSliderOptions) {
    const { id, label, min, max, step, value, limits = { min, max }, isCompact } = options;
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
    this.#box = el('input', {
      type: 'number',
      class: 'number',
      id,
      min: Number.isFinite(limits.min) && limits.min,
      max: Number.isFinite(limits.max) && limits.max,
      step: 'any',
      value,
      'aria-describedby': `${id}-error`,
    });
    this.#error = el('p', { class: 'notice error', id: `${id}-error`, role: 'alert', hidden: true });
    this.element = el(
      'div',
      { class: `number-slider${isCompact ? ' compact' : ''}` },
      el('label', { for: id }, label),
      el('div', { class: 'number-slider-inputs' }, this.#range, this.#box),
      this.#error,
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
    this.#say(undefined);
    this.#mark();
  }

  /** What is wrong with the text in the box, which says so itself. */
  get mistake(): string | undefined {
    return this.#mistake;
  }

  #toRange(value: number): number {
    return this.#options.isLogarithmic ? Math.log10(value) : value;
  }

  #fromRange(value: number): number {
    return this.#options.isLogarithmic ? Number((10 ** value).toPrecision(2)) : value;
  }

  #choose(value: number, moveOther: () => void): void {
    const { onChange, onMistake } = this.#options;
    this.#say(this.#wrongWith(value));
    if (this.#mistake !== undefined) {
      onMistake?.();
      return;
    }
    this.#value = value;
    moveOther();
    this.#mark();
    onChange(value);
  }

  #wrongWith(value: number): string | undefined {
    const { min, max, limits = { min, max } } = this.#options;
    if (value >= limits.min && value <= limits.max) return undefined;
    const isOpen = limits.min === Number.NEGATIVE_INFINITY && limits.max === Number.POSITIVE_INFINITY;
    if (isOpen) return 'Enter a number.';
    if (limits.max === Number.POSITIVE_INFINITY) return `Enter a number of at least ${limits.min}.`;
    if (limits.min === Number.NEGATIVE_INFINITY) return `Enter a number of at most ${limits.max}.`;
    return `Enter a number from ${limits.min} to ${limits.max}.`;
  }

  #say(mistake: string | undefined): void {
    // A live region speaks again when it is written again.
    if (mistake === this.#mistake) return;
    this.#mistake = mistake;
    showError(this.#error, mistake === undefined ? undefined : { message: mistake }, this.#box);
  }

  #mark(): void {
    const { min, max, valueText } = this.#options;
    const isBeyond = this.#value < min || this.#value > max;
    if (valueText) this.#range.setAttribute('aria-valuetext', valueText(this.#value));
    else if (isBeyond) this.#range.setAttribute('aria-valuetext', String(this.#value));
    else this.#range.removeAttribute('aria-valuetext');
  }
}
