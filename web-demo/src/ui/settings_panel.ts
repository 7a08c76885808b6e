// Axis, epsilon, gamma and beta.

import type { ComputeError } from '../compute_client.js';
import { count } from '../parse/dataset.js';
import type { DatasetSummary, Settings } from '../protocol.js';
import { byId, el, showError } from './dom.js';
import { significant, whole } from './format.js';
import { ParameterControl } from './parameter_control.js';

/** What a sample of a picture can be, by the dimensions that it spans. */
const PICTURE_PRESETS: readonly { text: string; axis: readonly number[]; colourOnly?: boolean }[] = [
  { text: 'each row', axis: [1, 2] },
  { text: 'each pixel', axis: [2], colourOnly: true },
  { text: 'each channel', axis: [0, 1], colourOnly: true },
  { text: 'whole picture', axis: [0, 1, 2] },
];

export class SettingsPanel {
  readonly #onChange: () => void;
  readonly #epsilon = byId<HTMLInputElement>('epsilon');
  readonly #epsilonRange = byId<HTMLInputElement>('epsilon-range');
  readonly #chips = byId('axis-chips');
  readonly #presets = byId('axis-presets');
  readonly #gamma: ParameterControl;
  readonly #beta: ParameterControl;
  #dataset: DatasetSummary | undefined;
  #axis = new Set<number>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#gamma = new ParameterControl(
      byId('gamma-field'),
      { name: 'gamma', title: 'Gamma', hint: 'Multiplies each normalized element.', neutral: 1 },
      onChange,
    );
    this.#beta = new ParameterControl(
      byId('beta-field'),
      { name: 'beta', title: 'Beta', hint: 'Is added to it then.', neutral: 0 },
      onChange,
    );
    byId<HTMLFormElement>('settings').addEventListener('submit', (event) => event.preventDefault());
    this.#epsilon.addEventListener('input', () => {
      this.#moveRange();
      onChange();
    });
    this.#epsilonRange.addEventListener('input', () => {
      this.#epsilon.value = String(Number((10 ** this.#epsilonRange.valueAsNumber).toPrecision(2)));
      this.#moveRange();
      onChange();
    });
    this.#moveRange();
  }

  get settings(): Settings {
    return {
      axis: [...this.#axis].sort((a, b) => a - b),
      epsilon: this.#epsilon.valueAsNumber,
      gamma: this.#gamma.value,
      beta: this.#beta.value,
    };
  }

  /** Whether what has been typed can be sent. Says at the control what cannot. */
  check(): boolean {
    this.clearErrors();
    const gamma = this.#gamma.mistake;
    const beta = this.#beta.mistake;
    if (gamma) this.#gamma.showError({ message: gamma });
    if (beta) this.#beta.showError({ message: beta });
    const noEpsilon = Number.isNaN(this.#epsilon.valueAsNumber);
    if (noEpsilon) {
      showError(byId('epsilon-error'), { message: 'Enter a number, such as 0.001 or 1e-5.' }, this.#epsilon);
    }
    return !gamma && !beta && !noEpsilon;
  }

  /** Starts over with the axes of other data: the last one, or the rows of a picture. */
  setDataset(dataset: DatasetSummary): void {
    this.#dataset = dataset;
    const rank = dataset.axes.length;
    this.#axis = new Set(dataset.kind === 'picture' ? this.#presetAxes([1, 2]) : [rank - 1]);
    this.#presets.hidden = dataset.kind !== 'picture';
    this.#presets.replaceChildren();
    if (dataset.kind === 'picture') {
      for (const { text, axis, colourOnly } of PICTURE_PRESETS) {
        if (colourOnly && rank < 3) continue;
        const axes = this.#presetAxes(axis);
        const button = el('button', { type: 'button', class: 'chip-button', 'data-axes': axes.join() }, text);
        button.addEventListener('click', () => this.#setAxis(axes));
        this.#presets.append(button);
      }
    }
    this.#chips.replaceChildren(
      ...dataset.axes.map(({ size, noun }, d) => {
        const box = el('input', { type: 'checkbox', value: d, 'aria-describedby': 'axis-error' });
        box.addEventListener('change', () => {
          if (box.checked) this.#axis.add(d);
          else this.#axis.delete(d);
          this.#axisChanged();
        });
        const what = noun
          ? `${whole(size)} ${size === 1 ? noun.replace(/s$/, '') : noun}`
          : `size ${whole(size)}`;
        return el(
          'label',
          { class: 'chip' },
          box,
          el('span', {}, el('b', {}, `axis ${d}`), el('span', { class: 'chip-size' }, what)),
        );
      }),
    );
    this.#fit();
  }

  /** Shows an error of the worker at the control that caused it. False when it is about none of them. */
  showError(error: ComputeError): boolean {
    if (error.code === 'ERR_AXIS') {
      showError(byId('axis-error'), error, ...this.#chips.querySelectorAll<HTMLElement>('input'));
    } else if (/: gamma /.test(error.message)) this.#gamma.showError(error);
    else if (/: beta /.test(error.message)) this.#beta.showError(error);
    else if (/: epsilon /.test(error.message)) showError(byId('epsilon-error'), error, this.#epsilon);
    else return false;
    return true;
  }

  clearErrors(): void {
    showError(byId('axis-error'), undefined, ...this.#chips.querySelectorAll<HTMLElement>('input'));
    showError(byId('epsilon-error'), undefined, this.#epsilon);
    this.#gamma.showError(undefined);
    this.#beta.showError(undefined);
  }

  #presetAxes(axis: readonly number[]): number[] {
    return axis.filter((d) => d < (this.#dataset?.axes.length ?? 0));
  }

  #setAxis(axis: readonly number[]): void {
    this.#axis = new Set(axis);
    this.#axisChanged();
  }

  #axisChanged(): void {
    this.#fit();
    this.#onChange();
  }

  /** Brings everything that depends on the axis up to date. */
  #fit(): void {
    const dataset = this.#dataset;
    if (!dataset) return;
    const { axis } = this.settings;
    this.#chips.querySelectorAll('input').forEach((box, d) => {
      box.checked = this.#axis.has(d);
    });
    for (const button of this.#presets.querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(button.dataset.axes === axis.join()));
    }
    const size = axis.reduce((product, d) => product * (dataset.axes[d]?.size ?? 1), 1);
    byId('axis-outcome').textContent =
      axis.length === 0
        ? ''
        : `${count(dataset.elements / size, 'sample')} of ${count(size, 'element')} ${dataset.elements === size ? '' : 'each'}`.trim();
    if (axis.length > 0) {
      this.#gamma.fit(dataset, axis);
      this.#beta.fit(dataset, axis);
    }
  }

  #moveRange(): void {
    const epsilon = this.#epsilon.valueAsNumber;
    if (epsilon > 0 && document.activeElement !== this.#epsilonRange) {
      this.#epsilonRange.value = String(Math.log10(epsilon));
    } else if (epsilon === 0) this.#epsilonRange.value = this.#epsilonRange.min;
    this.#epsilonRange.setAttribute('aria-valuetext', significant(epsilon));
  }
}
