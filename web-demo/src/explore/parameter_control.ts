// gamma or beta: none, one number, or a number for each element of a sample or each channel.

import { type Layout, parameterLabel } from '../compute/groups.js';
import { el, showError } from '../ui/dom.js';
import { whole } from '../ui/format.js';
import type { DatasetSummary, Parameter } from './protocol.js';

type Mode = 'none' | 'scalar' | 'list';

/** Up to this many elements each get an input of their own; more are typed as text. */
const MAX_INPUTS = 16;

interface Traits {
  readonly name: 'gamma' | 'beta';
  readonly title: string;
  readonly hint: string;
  /** The number that changes nothing. */
  readonly neutral: number;
}

export class ParameterControl {
  readonly #traits: Traits;
  readonly #onChange: () => void;
  readonly #body = el('div', { class: 'parameter-body' });
  readonly #error: HTMLElement;
  readonly #each = el('span', {}, 'Per element');
  #mode: Mode = 'none';
  #scalar: string;
  #list: string[] = [];
  #labels: readonly string[] | undefined;
  #size = 0;
  #unit = 'element';
  #isPossible = true;

  constructor(root: HTMLElement, traits: Traits, onChange: () => void) {
    this.#traits = traits;
    this.#onChange = onChange;
    this.#scalar = String(traits.neutral);
    const { name, title, hint } = traits;
    this.#error = el('p', { class: 'notice error', id: `${name}-error`, role: 'alert', hidden: true });
    const modes = el('div', { class: 'segmented' });
    for (const [mode, text] of [
      ['none', el('span', {}, 'None')],
      ['scalar', el('span', {}, 'Scalar')],
      ['list', this.#each],
    ] as const) {
      const radio = el('input', {
        type: 'radio',
        name: `${name}-mode`,
        value: mode,
        checked: mode === this.#mode,
      });
      radio.addEventListener('change', () => {
        this.#mode = mode;
        this.#render();
        this.#onChange();
      });
      modes.append(el('label', {}, radio, text));
    }
    root.append(
      el(
        'fieldset',
        { class: 'field', id: `${name}-fieldset` },
        el('legend', {}, title),
        el('p', { class: 'hint' }, hint),
        modes,
        this.#body,
        this.#error,
      ),
    );
  }

  get value(): Parameter {
    if (!this.#isPossible || this.#mode === 'none') return undefined;
    return this.#mode === 'scalar' ? toNumber(this.#scalar) : this.#list.map(toNumber);
  }

  /** A list of another length than there are parameters is not taken. */
  set value(value: Parameter) {
    if (typeof value === 'number') {
      this.#scalar = String(value);
      this.#choose('scalar');
    } else if (value === undefined) this.#choose('none');
    else if (value.length === this.#size && value.length === this.#list.length) {
      this.#list = value.map(String);
      this.#choose('list');
    }
    this.#render();
  }

  /** What cannot be sent as it is; undefined when all are numbers. */
  get mistake(): string | undefined {
    if (!this.#isPossible || this.#mode === 'none') return undefined;
    const { name } = this.#traits;
    if (this.#mode === 'scalar')
      return Number.isNaN(toNumber(this.#scalar)) ? `${name}: enter a number.` : undefined;
    const wrong = this.#list.findIndex((text) => Number.isNaN(toNumber(text)));
    if (wrong < 0) return undefined;
    const text = this.#list[wrong] as string;
    const where = this.#labels?.[wrong] ?? `${this.#unit} ${wrong}`;
    return text.trim() === ''
      ? `${name} of ${where}: enter a number.`
      : `${name} of ${where} is “${text}”, expected a number.`;
  }

  /** What a method does not have is not shown. */
  setPossible(isPossible: boolean): void {
    this.#isPossible = isPossible;
    const field = this.#body.parentElement;
    if (field) field.hidden = !isPossible;
  }

  /** Says how many parameters there are, after data, method or axis changed. Numbers are kept where there are as many. */
  fit(dataset: DatasetSummary, layout: Layout, size: number): void {
    this.#labels =
      size <= MAX_INPUTS
        ? Array.from({ length: size }, (_, p) => parameterLabel(layout, dataset.axes, p))
        : undefined;
    this.#unit = layout.parameters === layout.reduced ? 'element' : 'channel';
    this.#each.textContent = `Per ${this.#unit}`;
    if (size !== this.#size) {
      this.#size = size;
      this.#list = new Array<string>(Math.min(size, 4096)).fill(String(this.#traits.neutral));
      if (size > this.#list.length && this.#mode === 'list') this.#choose('none');
    }
    this.#render();
  }

  showError(error: { message: string; code?: string | undefined } | undefined): void {
    showError(this.#error, error, ...this.#body.querySelectorAll<HTMLElement>('input, textarea'));
  }

  #choose(mode: Mode): void {
    this.#mode = mode;
    const radio = this.#body.parentElement?.querySelector<HTMLInputElement>(`input[value="${mode}"]`);
    if (radio) radio.checked = true;
  }

  #render(): void {
    const { name } = this.#traits;
    this.#body.replaceChildren();
    const listRadio = this.#body.parentElement?.querySelector<HTMLInputElement>('input[value="list"]');
    if (listRadio) listRadio.disabled = this.#size > 4096;
    if (this.#mode === 'scalar') {
      const input = numberInput(this.#scalar, `${name}-error`);
      input.setAttribute('aria-label', `${name} of every ${this.#unit}`);
      input.addEventListener('input', () => {
        this.#scalar = input.value;
        this.#onChange();
      });
      this.#body.append(input);
    }
    if (this.#mode !== 'list') return;
    if (this.#labels) {
      this.#labels.forEach((label, p) => {
        const input = numberInput(this.#list[p] ?? '', `${name}-error`);
        input.addEventListener('input', () => {
          this.#list[p] = input.value;
          this.#onChange();
        });
        this.#body.append(el('label', { class: 'element-input' }, el('span', {}, label), input));
      });
    } else {
      const area = el('textarea', {
        id: `${name}-list`,
        rows: 4,
        spellcheck: 'false',
        autocomplete: 'off',
        'aria-describedby': `${name}-error`,
      });
      area.value = this.#list.join(', ');
      area.addEventListener('input', () => {
        this.#list = area.value.split(/[\s,;]+/).filter((text) => text !== '');
        this.#onChange();
      });
      this.#body.append(
        el(
          'label',
          { for: `${name}-list`, class: 'hint' },
          `${whole(this.#size)} numbers, separated by commas or spaces`,
        ),
        area,
      );
    }
  }
}

function numberInput(value: string, describedBy: string): HTMLInputElement {
  return el('input', {
    class: 'number',
    type: 'number',
    step: 'any',
    value,
    'aria-describedby': describedBy,
  });
}

/** Unlike `Number`, no text is no number. */
function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
