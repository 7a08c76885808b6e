// A number that is typed in the place of a cell.

import { el, showError } from '../../ui/dom.js';
import { parseNumber } from './sentences.js';

export class CellInput {
  readonly #error: HTMLElement;
  readonly #bounds: HTMLElement;
  #end: ((isCommit: boolean) => boolean) | undefined;

  /**
   * @param bounds - the input stays between its left and right edges
   * @param error - says what is no number
   */
  constructor(bounds: HTMLElement, error: HTMLElement) {
    this.#bounds = bounds;
    this.#error = error;
  }

  /**
   * @param text - what stands in it at first
   * @param onNumber - called with the number; not after Escape
   * @param onEnd - called when the input is gone; `byKey` when Enter or Escape ended it, so that the focus goes back to the cell
   */
  open(
    cell: HTMLElement,
    { label, text, isTyped }: { label: string; text: string; isTyped: boolean },
    onNumber: (value: number) => void,
    onEnd: (byKey: boolean) => void,
  ): void {
    this.close();
    const input = el('input', {
      type: 'text',
      class: 'cell-input',
      'aria-label': label,
      'aria-describedby': this.#error.id,
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
    });
    input.value = text;
    const end = (isCommit: boolean, byKey: boolean): boolean => {
      const value = parseNumber(input.value);
      if (isCommit && value === undefined) {
        const message =
          input.value.trim() === ''
            ? 'Enter a number, such as 1.5 or −2e3.'
            : `“${input.value}” is no number. Enter one such as 1.5 or −2e3, or inf, −inf or nan.`;
        showError(this.#error, { message }, input);
        return false;
      }
      this.#end = undefined;
      showError(this.#error, undefined);
      input.remove();
      cell.textContent = cell.dataset.text ?? '';
      if (isCommit && value !== undefined && (isTyped || input.value !== text)) onNumber(value);
      onEnd(byKey);
      return true;
    };
    this.#end = (isCommit) => end(isCommit, false);
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault();
      end(event.key === 'Enter', true);
    });
    // Elsewhere the pointer and the keys are those of the cell.
    for (const name of ['pointerdown', 'click', 'dblclick'] as const) {
      input.addEventListener(name, (event) => event.stopPropagation());
    }
    // What is no number is not kept when one goes elsewhere.
    input.addEventListener('blur', () => {
      if (this.#end) end(parseNumber(input.value) !== undefined, false);
    });
    cell.replaceChildren(input);
    this.#keepInside(input);
    input.focus({ preventScroll: false });
    if (isTyped) input.setSelectionRange(text.length, text.length);
    else input.select();
  }

  /** Takes the input away, without its number. */
  close(): void {
    this.#end?.(false);
  }

  get isOpen(): boolean {
    return this.#end !== undefined;
  }

  #keepInside(input: HTMLElement): void {
    const [own, bounds] = [input.getBoundingClientRect(), this.#bounds.getBoundingClientRect()];
    const shift = Math.max(bounds.left - own.left, 0) - Math.max(own.right - bounds.right, 0);
    input.style.setProperty('--shift', `${shift}px`);
  }
}
