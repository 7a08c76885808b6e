// Which normalization: a row of buttons, and what the chosen one does.

import { METHOD_NAMES, METHODS, type MethodName } from '../compute/methods.js';
import { hasBatch } from '../parse/dataset.js';
import { byId, el } from '../ui/dom.js';
import type { DatasetSummary } from './protocol.js';
import { WORDS } from './words.js';

export class MethodControl {
  readonly #radios: readonly HTMLInputElement[];
  #method: MethodName = 'layer';

  constructor(onChange: () => void) {
    this.#radios = METHOD_NAMES.map((name) => {
      const radio = el('input', {
        type: 'radio',
        name: 'method',
        value: name,
        'aria-describedby': 'method-hint',
      });
      radio.addEventListener('change', () => {
        this.#choose(name);
        onChange();
      });
      byId('methods').append(el('label', {}, radio, el('span', {}, WORDS[name].title)));
      return radio;
    });
    this.#choose(this.#method);
  }

  get method(): MethodName {
    return this.#method;
  }

  /** One that the shape leaves no room for is not taken. */
  set method(name: MethodName) {
    if (this.#radios.some((radio) => radio.value === name && !radio.disabled)) this.#choose(name);
  }

  /** Methods that the shape leaves no room for cannot be chosen, and the page says why. */
  setDataset(dataset: DatasetSummary): void {
    const isPossible = (name: MethodName): boolean =>
      !METHODS[name].keepsSamples || !hasBatch(dataset) || dataset.axes.length > 1;
    for (const [i, radio] of this.#radios.entries()) {
      radio.disabled = !isPossible(METHOD_NAMES[i] as MethodName);
    }
    byId('method-shape').hidden = METHOD_NAMES.every(isPossible);
    if (!isPossible(this.#method)) this.#choose('layer');
  }

  #choose(name: MethodName): void {
    this.#method = name;
    for (const radio of this.#radios) radio.checked = radio.value === name;
    byId('method-hint').textContent = WORDS[name].sharing;
  }
}
