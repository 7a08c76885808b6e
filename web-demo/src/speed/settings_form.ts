// What is to be measured, as a person chooses it.

import { showIsolationHelp } from '../app/isolation.js';
import { METHODS } from '../compute/methods.js';
import { el, showError } from '../ui/dom.js';
import { bytes, whole } from '../ui/format.js';
import { NumberSlider } from '../ui/number_slider.js';
import {
  bytesMoved,
  bytesOfX,
  DEFAULTS,
  DTYPES,
  type DType,
  MAX_THREADS,
  OPERATIONS,
  type OperationName,
  PRESETS,
  problemOf,
  type Settings,
  shapeText,
} from './settings.js';

const HEADERS = ['Cross-Origin-Opener-Policy: same-origin', 'Cross-Origin-Embedder-Policy: require-corp'];

/** What the page knows of threads: undefined until it has been tried. */
export interface ThreadsHere {
  readonly reason: string | undefined;
  readonly isIsolated: boolean;
}

export class SettingsForm {
  readonly element: HTMLFormElement;
  readonly #onChange: () => void;
  readonly #memoryLimit: number;
  readonly #processors: number;
  readonly #operations: readonly HTMLInputElement[];
  readonly #dtypes: readonly HTMLInputElement[];
  readonly #presets: readonly HTMLButtonElement[];
  readonly #rows = sizeInput('speed-rows');
  readonly #columns = sizeInput('speed-columns');
  readonly #outcome = el('p', { class: 'hint', id: 'speed-outcome' });
  readonly #shapeError = el('p', {
    class: 'notice error',
    id: 'speed-shape-error',
    role: 'alert',
    hidden: true,
  });
  readonly #slider: NumberSlider;
  readonly #threadsField: HTMLFieldSetElement;
  readonly #threadsHint = el(
    'p',
    { class: 'hint', id: 'speed-threads-hint' },
    'Looking whether threads can start.',
  );
  readonly #threadsReason = el('div', { class: 'notice info', id: 'speed-threads-reason', hidden: true });
  /** What a person can do where the host sends no headers. */
  readonly #isolationHelp = el('p', { class: 'hint', id: 'isolation-help', hidden: true });
  #threadsHere: ThreadsHere | undefined;
  #wished = DEFAULTS.threads;

  constructor(memoryLimit: number, processors: number, onChange: () => void) {
    this.#memoryLimit = memoryLimit;
    this.#processors = Math.min(MAX_THREADS, Math.max(1, processors));
    this.#onChange = onChange;
    const changed = () => this.#changed();
    this.#operations = radios('speed-op', OPERATIONS, changed);
    this.#dtypes = radios('speed-dtype', DTYPES, changed);
    this.#presets = PRESETS.map((shape) => {
      const button = el('button', { class: 'chip-button', type: 'button' }, shapeText(shape));
      button.addEventListener('click', () => {
        this.#rows.value = String(shape.rows);
        this.#columns.value = String(shape.columns);
        changed();
      });
      return button;
    });
    for (const input of [this.#rows, this.#columns]) input.addEventListener('input', changed);
    this.#slider = new NumberSlider({
      id: 'speed-threads',
      label: 'How many work on a call',
      min: 1,
      max: Math.max(2, this.#processors),
      step: 1,
      value: 1,
      onChange: (value) => {
        this.#wished = Math.round(value);
        if (this.#wished !== value) this.#slider.value = this.#wished;
        changed();
      },
    });
    void showIsolationHelp(this.#isolationHelp);
    this.#threadsField = el(
      'fieldset',
      { class: 'field', id: 'speed-threads-field', disabled: true },
      el('legend', {}, 'Threads'),
      this.#slider.element,
      this.#threadsHint,
      this.#threadsReason,
    );
    this.element = el(
      'form',
      { id: 'speed-settings' },
      el(
        'fieldset',
        { class: 'field' },
        el('legend', {}, 'Operation'),
        segmented(this.#operations, (name) => METHODS[name as OperationName].operation),
      ),
      el(
        'fieldset',
        { class: 'field' },
        el('legend', {}, 'Shape'),
        el('div', { class: 'presets' }, ...this.#presets),
        el(
          'div',
          { class: 'speed-sizes' },
          el('label', { for: 'speed-rows' }, 'Rows', this.#rows),
          el('label', { for: 'speed-columns' }, 'Columns', this.#columns),
        ),
        this.#outcome,
        this.#shapeError,
      ),
      el(
        'fieldset',
        { class: 'field' },
        el('legend', {}, 'Type of the numbers'),
        segmented(this.#dtypes, (name) => name),
      ),
      this.#threadsField,
      // Beside the fieldset, which is disabled as long as there are no threads.
      this.#isolationHelp,
    );
    this.element.addEventListener('submit', (event) => event.preventDefault());
    this.settings = DEFAULTS;
  }

  get settings(): Settings {
    return {
      operation: chosen(this.#operations, DEFAULTS.operation) as OperationName,
      dtype: chosen(this.#dtypes, DEFAULTS.dtype) as DType,
      rows: numberIn(this.#rows),
      columns: numberIn(this.#columns),
      threads: this.#wished,
    };
  }

  set settings({ operation, dtype, rows, columns, threads }: Settings) {
    for (const radio of this.#operations) radio.checked = radio.value === operation;
    for (const radio of this.#dtypes) radio.checked = radio.value === dtype;
    this.#rows.value = String(rows);
    this.#columns.value = String(columns);
    this.#wished = threads;
    this.#show();
  }

  /** The settings with as many threads as there are. */
  get possible(): Settings {
    const canThread = this.#threadsHere?.reason === undefined && this.#threadsHere !== undefined;
    return { ...this.settings, threads: canThread ? Math.min(this.#wished, this.#slidersMost) : 1 };
  }

  /** How many threads there can be. */
  get mostThreads(): number {
    return this.#threadsHere && this.#threadsHere.reason === undefined ? this.#slidersMost : 1;
  }

  get problem(): string | undefined {
    return problemOf(this.possible, this.#memoryLimit);
  }

  /** Goes to what has to be changed before anything can be measured. */
  focusProblem(): void {
    const input = [this.#rows, this.#columns].find((one) => !(numberIn(one) >= 1));
    (input ?? this.#rows).focus();
  }

  set threadsHere(here: ThreadsHere) {
    this.#threadsHere = here;
    this.#threadsField.disabled = here.reason !== undefined;
    this.#threadsReason.hidden = here.reason === undefined;
    this.#threadsHint.textContent =
      here.reason === undefined
        ? `This machine has ${whole(this.#processors)}. They share the work on tensors; all else has one thread.`
        : 'Threads are off. All else works, with one thread.';
    if (here.reason !== undefined)
      this.#threadsReason.replaceChildren(...explain(here.reason, here.isIsolated));
    this.#show();
  }

  get #slidersMost(): number {
    return Math.max(2, this.#processors);
  }

  #changed(): void {
    this.#show();
    this.#onChange();
  }

  #show(): void {
    const { settings, possible, problem } = this;
    PRESETS.forEach(({ rows, columns }, i) => {
      const isThis = rows === settings.rows && columns === settings.columns;
      this.#presets[i]?.setAttribute('aria-pressed', String(isThis));
    });
    this.#slider.value = possible.threads;
    const wrong = [this.#rows, this.#columns].filter((input) => !(numberIn(input) >= 1));
    for (const input of [this.#rows, this.#columns]) input.removeAttribute('aria-invalid');
    showError(
      this.#shapeError,
      problem === undefined ? undefined : { message: problem },
      ...(wrong.length > 0 ? wrong : [this.#rows, this.#columns]),
    );
    this.#outcome.textContent =
      wrong.length > 0
        ? 'x needs a size.'
        : `x has ${whole(settings.rows * settings.columns)} numbers, ${bytes(bytesOfX(settings))}. ` +
          `A call reads x and writes y: ${bytes(bytesMoved(settings))}.`;
  }
}

function explain(reason: string, isIsolated: boolean): Node[] {
  const said = el(
    'p',
    { class: 'speed-said' },
    'The package says: ',
    el('q', { id: 'speed-threads-said' }, reason),
  );
  if (isIsolated) return [el('p', {}, 'Threads could not start in this browser.'), said];
  return [
    el(
      'p',
      {},
      'Threads need memory that they share. Browsers give it only to pages that are cross-origin isolated, and this page ' +
        'is not: it came without two headers, which whoever hosts it can have the server send.',
    ),
    el('pre', { class: 'speed-headers' }, el('code', {}, HEADERS.join('\n'))),
    said,
  ];
}

function sizeInput(id: string): HTMLInputElement {
  return el('input', {
    class: 'number',
    id,
    type: 'number',
    min: 1,
    step: 1,
    required: true,
    inputmode: 'numeric',
    'aria-describedby': 'speed-outcome speed-shape-error',
  });
}

/** Not a number where there is no whole number. */
function numberIn(input: HTMLInputElement): number {
  const value = input.valueAsNumber;
  return Number.isInteger(value) ? value : Number.NaN;
}

function radios(name: string, values: readonly string[], onChange: () => void): HTMLInputElement[] {
  return values.map((value) => {
    const radio = el('input', { type: 'radio', name, value });
    radio.addEventListener('change', onChange);
    return radio;
  });
}

function chosen(all: readonly HTMLInputElement[], standard: string): string {
  return all.find(({ checked }) => checked)?.value ?? standard;
}

function segmented(all: readonly HTMLInputElement[], titleOf: (value: string) => string): HTMLElement {
  return el(
    'div',
    { class: 'segmented speed-choice' },
    ...all.map((radio) => el('label', {}, radio, el('span', {}, titleOf(radio.value)))),
  );
}
