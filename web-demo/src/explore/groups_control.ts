// How many groups the channels are split into: a slider over the divisors of their number.

import { defaultGroups, divisorsOf } from '../compute/methods.js';
import { count } from '../parse/dataset.js';
import { byId } from '../ui/dom.js';
import { whole } from '../ui/format.js';

export class GroupsControl {
  readonly #field = byId('groups-field');
  readonly #range = byId<HTMLInputElement>('groups-range');
  readonly #outcome = byId('groups-outcome');
  #channels = 0;
  #divisors: readonly number[] = [1];

  constructor(onChange: () => void) {
    this.#range.addEventListener('input', () => {
      this.#say();
      onChange();
    });
  }

  get groups(): number {
    return this.#divisors[this.#range.valueAsNumber] ?? 1;
  }

  /** A number that the channels cannot be split into is not taken. */
  set groups(groups: number) {
    const at = this.#divisors.indexOf(groups);
    if (at < 0) return;
    this.#range.value = String(at);
    this.#say();
  }

  /** Says how many channels there are; undefined where the method has no groups. The choice is kept while that number is. */
  fit(channels: number | undefined): void {
    this.#field.hidden = channels === undefined;
    if (channels === undefined || channels === this.#channels) return;
    this.#channels = channels;
    this.#divisors = divisorsOf(channels);
    this.#range.max = String(this.#divisors.length - 1);
    this.#range.value = String(this.#divisors.indexOf(defaultGroups(channels)));
    this.#range.disabled = this.#divisors.length === 1;
    byId('groups-most').textContent = `${whole(channels)}: as instance`;
    this.#say();
  }

  #say(): void {
    const { groups } = this;
    const each = this.#channels / groups;
    const meaning =
      groups === this.#channels
        ? ', which is instance normalization'
        : groups === 1
          ? ': statistics as of layer normalization over all of a sample'
          : '';
    const split = `${count(groups, 'group')} of ${count(each, 'channel')}${groups > 1 ? ' each' : ''}`;
    this.#outcome.textContent = `${split}${meaning}.`;
    this.#range.setAttribute('aria-valuetext', split);
  }
}
