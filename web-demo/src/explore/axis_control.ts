// The axis: the dimensions that a sample spans, or the one of the channels.

import { METHODS, type MethodName } from '../compute/methods.js';
import { hasBatch } from '../parse/dataset.js';
import { byId, el, showError } from '../ui/dom.js';
import { whole } from '../ui/format.js';
import { presetsOf } from './axis_presets.js';
import { defaultChannel, defaultSpanned } from './grid/axes.js';
import type { DatasetSummary } from './protocol.js';
import { one } from './words.js';

export class AxisControl {
  readonly #onChange: () => void;
  readonly #chips = byId('axis-chips');
  readonly #presets = byId('axis-presets');
  #dataset: DatasetSummary | undefined;
  #method: MethodName = 'layer';
  /** Both choices are kept, so that one can go from method to method and back. */
  #spanned = new Set<number>();
  #channel: number | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get axis(): readonly number[] {
    if (!METHODS[this.#method].isPerChannel) return [...this.#spanned].sort((a, b) => a - b);
    return this.#channel === undefined ? [] : [this.#channel];
  }

  /** Dimensions that x does not have are not taken, and none at all leaves it as it is. */
  set axis(axis: readonly number[]) {
    const existing = this.#existing(axis);
    const [first] = existing;
    if (first === undefined) return;
    if (!METHODS[this.#method].isPerChannel) this.#spanned = new Set(existing);
    else if (this.#channel !== undefined && !this.#isBatch(first)) this.#channel = first;
    this.#mark();
  }

  /** Starts over with the axes of other data. */
  setDataset(dataset: DatasetSummary): void {
    this.#dataset = dataset;
    this.#spanned = new Set(defaultSpanned(dataset));
    this.#channel = defaultChannel(dataset);
    this.#presets.replaceChildren();
    for (const { text, axis } of presetsOf(dataset)) {
      const button = el('button', { type: 'button', class: 'chip-button', 'data-axes': axis.join() }, text);
      button.addEventListener('click', () => {
        this.#spanned = new Set(axis);
        this.#changed();
      });
      this.#presets.append(button);
    }
    this.#render();
  }

  setMethod(method: MethodName): void {
    this.#method = method;
    if (this.#channel === 0 && this.#isBatch(0)) this.#channel = (this.#dataset?.axes.length ?? 1) - 1;
    this.#render();
  }

  showError(error: { message: string; code?: string | undefined } | undefined): void {
    showError(byId('axis-error'), error, ...this.#chips.querySelectorAll<HTMLElement>('input'));
  }

  #existing(axis: readonly number[]): number[] {
    return axis.filter((d) => this.#dataset?.axes[d] !== undefined);
  }

  /** Whether a dimension counts the samples for the method, so that it cannot be that of the channels. */
  #isBatch(d: number): boolean {
    return (
      d === 0 && METHODS[this.#method].keepsSamples && this.#dataset !== undefined && hasBatch(this.#dataset)
    );
  }

  #changed(): void {
    this.#mark();
    this.#onChange();
  }

  #render(): void {
    const dataset = this.#dataset;
    if (!dataset) return;
    const { isPerChannel } = METHODS[this.#method];
    const isPicture = dataset.kind === 'picture';
    const isGrey = isPicture && this.#channel === undefined;
    byId('axis-legend').textContent = isPerChannel ? 'Axis of the channels' : 'Axis';
    byId('axis-hint').textContent = !isPerChannel
      ? 'A sample spans these dimensions of x.'
      : isGrey
        ? 'A grey picture is a batch of one, with one channel.'
        : isPicture
          ? 'The dimension that counts the channels. A picture is a batch of one.'
          : METHODS[this.#method].keepsSamples
            ? 'The dimension that counts the channels. Axis 0 counts the samples.'
            : 'The dimension that counts the channels. Statistics go over all others.';
    this.#presets.hidden = isPerChannel || this.#presets.childElementCount === 0;
    this.#chips.hidden = isPerChannel && isGrey;
    this.#chips.replaceChildren(
      ...dataset.axes.map(({ size, noun }, d) => {
        const box = el('input', {
          type: isPerChannel ? 'radio' : 'checkbox',
          name: isPerChannel && 'channel-axis',
          value: d,
          disabled: isPerChannel && this.#isBatch(d),
          'aria-describedby': 'axis-error',
        });
        box.addEventListener('change', () => {
          if (isPerChannel) this.#channel = d;
          else if (box.checked) this.#spanned.add(d);
          else this.#spanned.delete(d);
          this.#changed();
        });
        const what = noun ? `${whole(size)} ${size === 1 ? one(noun) : noun}` : `size ${whole(size)}`;
        return el(
          'label',
          { class: 'chip' },
          box,
          el('span', {}, el('b', {}, `axis ${d}`), el('span', { class: 'chip-size' }, what)),
        );
      }),
    );
    this.#mark();
  }

  #mark(): void {
    const { axis } = this;
    this.#chips.querySelectorAll('input').forEach((box, d) => {
      box.checked = axis.includes(d);
    });
    for (const button of this.#presets.querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(button.dataset.axes === axis.join()));
    }
  }
}
