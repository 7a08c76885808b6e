// Epsilon, as a number and as a slider over its powers of ten. Each method has its own, since it is not the same thing in all.

import { epsilonText, METHODS, type MethodName } from '../compute/methods.js';
import { byId, showError } from '../ui/dom.js';
import { significant } from '../ui/format.js';
import { WORDS } from './words.js';

export class EpsilonControl {
  readonly #input = byId<HTMLInputElement>('epsilon');
  readonly #range = byId<HTMLInputElement>('epsilon-range');
  readonly #texts = new Map<MethodName, string>();
  #method: MethodName = 'layer';

  constructor(onChange: () => void) {
    this.#input.addEventListener('input', () => {
      this.#moveRange();
      onChange();
    });
    this.#range.addEventListener('input', () => {
      this.#input.value = epsilonText(Number((10 ** this.#range.valueAsNumber).toPrecision(2)));
      this.#moveRange();
      onChange();
    });
    this.#moveRange();
  }

  get epsilon(): number {
    return this.#input.valueAsNumber;
  }

  /** Of the method that is chosen. */
  set epsilon(epsilon: number) {
    this.#input.value = epsilonText(epsilon);
    this.#moveRange();
  }

  setMethod(method: MethodName): void {
    if (method === this.#method) return;
    this.#texts.set(this.#method, this.#input.value);
    this.#method = method;
    this.#input.value = this.#texts.get(method) ?? epsilonText(METHODS[method].epsilon);
    byId('epsilon-hint').textContent = WORDS[method].epsilon;
    this.#moveRange();
  }

  showError(error: { message: string; code?: string | undefined } | undefined): void {
    showError(byId('epsilon-error'), error, this.#input);
  }

  #moveRange(): void {
    const { epsilon } = this;
    if (epsilon > 0 && document.activeElement !== this.#range) {
      this.#range.value = String(Math.log10(epsilon));
    } else if (epsilon === 0) this.#range.value = this.#range.min;
    this.#range.setAttribute('aria-valuetext', significant(epsilon));
  }
}
