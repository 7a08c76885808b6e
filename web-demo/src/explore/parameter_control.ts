// gamma or beta: whether there is one, and then the same number everywhere or one for each element of a sample or each channel.

import { type Layout, parameterLabel } from '../compute/groups.js';
import { el, showError } from '../ui/dom.js';
import { whole } from '../ui/format.js';
import { NumberSlider } from '../ui/number_slider.js';
import type { DatasetSummary, Parameter } from './protocol.js';
import { one } from './words.js';

type Mode = 'scalar' | 'list';

/** Up to this many elements each get a slider of their own; more are typed as text, and not more than so many. */
const [MAX_SLIDERS, MAX_LIST] = [16, 4096];
/** Where the sliders reach; the boxes take any number. */
const [REACH, STEP] = [3, 0.05];
const ANY = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

interface Traits {
  readonly name: 'gamma' | 'beta';
  readonly title: string;
  /** What Keras calls the option that switches it on, and what it does. */
  readonly option: 'scale' | 'center';
  readonly effect: string;
  /** The number that changes nothing, which Keras starts with. */
  readonly neutral: number;
}

export class ParameterControl {
  readonly #traits: Traits;
  readonly #onChange: () => void;
  readonly #field: HTMLElement;
  readonly #switch: HTMLInputElement;
  readonly #modes: ReadonlyMap<Mode, HTMLInputElement>;
  readonly #body = el('div', { class: 'parameter-body' });
  readonly #numbers = el('div', { class: 'parameter-numbers' });
  readonly #error: HTMLElement;
  readonly #each = el('span');
  #mode: Mode = 'scalar';
  #scalar: number;
  #list: readonly number[] = [];
  /** What has been typed as a list, where that is how it is entered. */
  #words: readonly string[] | undefined;
  /** Whether the list holds numbers that somebody chose. */
  #isListChosen = false;
  #sliders: readonly NumberSlider[] = [];
  #labels: readonly string[] | undefined;
  #size = 0;
  #unit = 'element';
  #isPossible = true;

  constructor(root: HTMLElement, traits: Traits, onChange: () => void) {
    this.#traits = traits;
    this.#onChange = onChange;
    this.#scalar = traits.neutral;
    const { name, title, option, effect } = traits;
    this.#error = el('p', { class: 'notice error', id: `${name}-error`, role: 'alert', hidden: true });
    this.#switch = el('input', { type: 'checkbox', id: `${name}-on`, checked: true });
    this.#switch.addEventListener('change', () => {
      this.#mark();
      this.#onChange();
    });
    const radioOf = (mode: Mode) => {
      const radio = el('input', { type: 'radio', name: `${name}-mode`, value: mode });
      radio.addEventListener('change', () => {
        this.#choose(mode);
        this.#onChange();
      });
      return radio;
    };
    const [scalar, list] = [radioOf('scalar'), radioOf('list')];
    this.#modes = new Map([
      ['scalar', scalar],
      ['list', list],
    ]);
    this.#body.append(
      el(
        'div',
        { class: 'segmented', role: 'group', 'aria-label': `Numbers of ${name}` },
        el('label', {}, scalar, el('span', {}, 'All the same')),
        el('label', {}, list, this.#each),
      ),
      this.#numbers,
    );
    this.#field = el(
      'fieldset',
      { class: 'field', id: `${name}-fieldset` },
      el('legend', {}, title),
      el('label', { class: 'switch' }, this.#switch, el('span', {}, el('code', {}, option), ` ${effect}`)),
      this.#body,
      this.#error,
    );
    root.append(this.#field);
    this.#choose('scalar');
    this.#mark();
  }

  get value(): Parameter {
    if (!this.#isPossible || !this.#switch.checked) return undefined;
    return this.#mode === 'scalar' ? this.#scalar : this.#list;
  }

  /** A list of another length than there are parameters is not taken. */
  set value(value: Parameter) {
    const isList = typeof value === 'object';
    if (isList && (value.length !== this.#size || value.length > MAX_LIST)) return;
    this.#switch.checked = value !== undefined;
    if (typeof value === 'number') this.#scalar = value;
    if (isList) {
      this.#list = [...value];
      this.#isListChosen = true;
    }
    this.#choose(isList ? 'list' : 'scalar');
    this.#mark();
  }

  /** Whether what has been typed are numbers. Says at the control what is none. */
  check(): boolean {
    if (this.value === undefined) return true;
    if (this.#sliders.some(({ mistake }) => mistake !== undefined)) return false;
    const wrong = this.#words?.findIndex((word) => Number.isNaN(Number(word))) ?? -1;
    if (this.#mode === 'scalar' || wrong < 0) return true;
    this.showError({
      message: `${this.#traits.name} of ${this.#unit} ${wrong} is “${this.#words?.[wrong]}”, expected a number.`,
    });
    return false;
  }

  /** What a method does not have is not shown. */
  setPossible(isPossible: boolean): void {
    this.#isPossible = isPossible;
    this.#field.hidden = !isPossible;
  }

  /** Says how many parameters there are, after data, method or axis changed. Numbers are kept where there are as many. */
  fit(dataset: DatasetSummary, layout: Layout, size: number): void {
    this.#labels =
      size <= MAX_SLIDERS
        ? Array.from({ length: size }, (_, p) => parameterLabel(layout, dataset.axes, p))
        : undefined;
    this.#unit = unitOf(dataset, layout);
    this.#each.textContent = `One per ${this.#unit}`;
    if (size !== this.#size) {
      this.#size = size;
      this.#isListChosen = false;
    }
    const list = this.#modes.get('list') as HTMLInputElement;
    list.disabled = size > MAX_LIST;
    this.#choose(list.disabled ? 'scalar' : this.#mode);
  }

  showError(error: { message: string; code?: string | undefined } | undefined): void {
    showError(this.#error, error, ...this.#numbers.querySelectorAll<HTMLElement>('textarea'));
  }

  /** Until somebody chooses its numbers, a list is what it was before: the same everywhere. */
  #choose(mode: Mode): void {
    this.#mode = mode;
    for (const [one, radio] of this.#modes) radio.checked = one === mode;
    if (mode === 'list' && !this.#isListChosen) {
      this.#list = new Array<number>(this.#size).fill(this.#scalar);
    }
    this.#words = undefined;
    this.#sliders = [];
    if (mode === 'scalar') this.#showSliders([this.#scalar], [this.#traits.name]);
    else if (this.#labels) this.#showSliders(this.#list, this.#labels);
    else this.#showText();
  }

  #mark(): void {
    this.#body.hidden = !this.#switch.checked;
  }

  #showSliders(values: readonly number[], labels: readonly string[]): void {
    const { name } = this.#traits;
    const mode = this.#mode;
    this.#sliders = values.map(
      (value, p) =>
        new NumberSlider({
          id: mode === 'scalar' ? `${name}-all` : `${name}-${p}`,
          label: labels[p] ?? '',
          min: -REACH,
          max: REACH,
          step: STEP,
          value,
          limits: ANY,
          isCompact: true,
          onChange: (chosen) => {
            if (mode === 'scalar') this.#scalar = chosen;
            else {
              this.#list = this.#list.map((value, i) => (i === p ? chosen : value));
              this.#isListChosen = true;
            }
            this.#onChange();
          },
          onMistake: this.#onChange,
        }),
    );
    this.#numbers.replaceChildren(...this.#sliders.map(({ element }) => element));
  }

  #showText(): void {
    const id = `${this.#traits.name}-list`;
    const area = el('textarea', {
      id,
      rows: 4,
      spellcheck: 'false',
      autocomplete: 'off',
      'aria-describedby': `${this.#traits.name}-error`,
    });
    area.value = this.#list.join(', ');
    area.addEventListener('input', () => {
      this.#words = area.value.split(/[\s,;]+/).filter((word) => word !== '');
      this.#list = this.#words.map(Number);
      this.#isListChosen = true;
      this.#onChange();
    });
    const label = `${whole(this.#size)} numbers, separated by commas or spaces`;
    this.#numbers.replaceChildren(el('label', { for: id, class: 'hint' }, label), area);
  }
}

/** What has a gamma of its own: a channel, or whatever the only dimension of a sample counts. */
function unitOf({ axes }: DatasetSummary, { parameters, reduced }: Layout): string {
  if (parameters !== reduced) return 'channel';
  const [only] = reduced.length === 1 ? reduced : [];
  const noun = only === undefined ? undefined : axes[only]?.noun;
  return noun === undefined ? 'element' : one(noun);
}
