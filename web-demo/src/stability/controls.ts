// Everything that can be chosen of the row and of its normalization.

import { el } from '../ui/dom.js';
import { whole } from '../ui/format.js';
import { PowerControl } from './power_control.js';
import {
  LIMITS,
  MAX_LENGTH,
  type Method,
  type Settings,
  SPECIALS,
  type Special,
  TYPE_NAMES,
} from './settings.js';

const SPECIAL_TITLES: Readonly<Record<Special, string>> = {
  none: 'None',
  inf: '+∞',
  '-inf': '−∞',
  nan: 'NaN',
};
const METHOD_TITLES: Readonly<Record<Method, string>> = { layer: 'Layer', rms: 'RMS' };

export class Controls {
  readonly element: HTMLElement;
  readonly #onChange: () => void;
  readonly #radios = new Map<string, HTMLInputElement[]>();
  readonly #length: HTMLInputElement;
  readonly #lengthText = el('output', { for: 'stability-length', id: 'stability-length-text' });
  readonly #clamps = el('input', { type: 'checkbox', id: 'stability-clamps' });
  readonly #clampsField: HTMLElement;
  readonly #offset: PowerControl;
  readonly #spread: PowerControl;
  readonly #outlier: PowerControl;
  readonly #epsilon: PowerControl;
  #seed = 1;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#length = el('input', {
      type: 'range',
      id: 'stability-length',
      min: 0,
      max: Math.log2(MAX_LENGTH),
      step: 1,
      'aria-labelledby': 'stability-length-legend',
    });
    this.#length.addEventListener('input', () => {
      this.#sayLength();
      onChange();
    });
    const other = el(
      'button',
      { class: 'button', id: 'stability-draw', type: 'button' },
      'Draw other numbers',
    );
    other.addEventListener('click', () => {
      this.#seed++;
      onChange();
    });
    this.#offset = new PowerControl({
      id: 'stability-offset',
      title: 'Constant added',
      hint: 'To every element, in the type of the row: what rounding takes there is gone before any formula starts.',
      exponents: [0, 38],
      limits: LIMITS.offset,
      zero: 'none',
      onChange,
    });
    this.#spread = new PowerControl({
      id: 'stability-spread',
      title: 'Spread',
      hint: 'Standard deviation of the random numbers. 0 makes a constant row.',
      exponents: [-42, 4],
      limits: LIMITS.spread,
      zero: '0, a constant row',
      onChange,
    });
    this.#outlier = new PowerControl({
      id: 'stability-outlier',
      title: 'Outlier',
      hint: 'Takes the place of x[3]. 0 for none.',
      exponents: [0, 38],
      limits: LIMITS.outlier,
      zero: 'none',
      onChange,
    });
    this.#epsilon = new PowerControl({
      id: 'stability-epsilon',
      title: 'Epsilon',
      hint: 'Added to what the root is taken of. PyTorch and ONNX have 1e-5, Keras 1e-3.',
      exponents: [-12, 2],
      limits: LIMITS.epsilon,
      zero: '0',
      onChange,
    });
    this.#clamps.addEventListener('change', onChange);
    this.#clampsField = el(
      'div',
      { class: 'field' },
      el(
        'label',
        { class: 'stability-check', for: 'stability-clamps' },
        this.#clamps,
        el('span', {}, 'One pass takes 0 for a negative variance'),
      ),
      el(
        'p',
        { class: 'hint' },
        'Some libraries do, so that there is no NaN. The numbers are as wrong then, and look like numbers.',
      ),
    );
    const row = el(
      'section',
      { class: 'card', 'aria-labelledby': 'stability-row-title' },
      el('h3', { id: 'stability-row-title' }, 'The row'),
      this.#choice('type', 'Type', TYPE_NAMES, (name) => name, 'pairs'),
      el(
        'fieldset',
        { class: 'field' },
        el('legend', { id: 'stability-length-legend' }, 'Length'),
        el('div', { class: 'number-slider-inputs' }, this.#length, this.#lengthText),
        other,
      ),
      this.#offset.element,
      this.#spread.element,
      this.#outlier.element,
      this.#choice('special', 'In place of x[6]', SPECIALS, (name) => SPECIAL_TITLES[name]),
    );
    const method = el(
      'section',
      { class: 'card', 'aria-labelledby': 'stability-method-title' },
      el('h3', { id: 'stability-method-title' }, 'The normalization'),
      this.#choice('method', 'Method', ['layer', 'rms'] as const, (name) => METHOD_TITLES[name]),
      this.#epsilon.element,
      this.#clampsField,
    );
    this.element = el('form', { class: 'controls', id: 'stability-controls' }, row, method);
    this.element.addEventListener('submit', (event) => event.preventDefault());
  }

  get settings(): Settings {
    return {
      method: this.#chosen('method') as Method,
      type: this.#chosen('type') as Settings['type'],
      length: 2 ** this.#length.valueAsNumber,
      seed: this.#seed,
      offset: this.#offset.value,
      spread: this.#spread.value,
      outlier: this.#outlier.value,
      special: this.#chosen('special') as Special,
      epsilon: this.#epsilon.value,
      clamps: this.#clamps.checked,
    };
  }

  /** Without a call of `onChange`. */
  set settings(settings: Settings) {
    for (const [name, radios] of this.#radios) {
      for (const radio of radios) radio.checked = radio.value === settings[name as 'type'];
    }
    this.#length.value = String(Math.log2(settings.length));
    this.#seed = settings.seed;
    this.#offset.value = settings.offset;
    this.#spread.value = settings.spread;
    this.#outlier.value = settings.outlier;
    this.#epsilon.value = settings.epsilon;
    this.#clamps.checked = settings.clamps;
    this.#sayLength();
    this.fit();
  }

  /** What RMS normalization has no use for is not shown with it. */
  fit(): void {
    this.#clampsField.hidden = this.#chosen('method') !== 'layer';
  }

  #choice<T extends string>(
    name: string,
    title: string,
    values: readonly T[],
    titleOf: (value: T) => string,
    kind = '',
  ): HTMLElement {
    const radios = values.map((value) => {
      const radio = el('input', { type: 'radio', name: `stability-${name}`, value });
      radio.addEventListener('change', () => {
        this.fit();
        this.#onChange();
      });
      return radio;
    });
    this.#radios.set(name, radios);
    return el(
      'fieldset',
      { class: 'field' },
      el('legend', {}, title),
      el(
        'div',
        { class: `segmented ${kind}` },
        ...radios.map((radio, i) => el('label', {}, radio, el('span', {}, titleOf(values[i] as T)))),
      ),
    );
  }

  #chosen(name: string): string {
    return this.#radios.get(name)?.find((radio) => radio.checked)?.value ?? '';
  }

  #sayLength(): void {
    const length = 2 ** this.#length.valueAsNumber;
    this.#lengthText.textContent = whole(length);
    this.#length.setAttribute('aria-valuetext', `${whole(length)} ${length === 1 ? 'element' : 'elements'}`);
  }
}
