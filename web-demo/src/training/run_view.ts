// Layers that learn: what is chosen, the run that plays, and how far it has come.

import type { State } from '../app/view.js';
import { onThemeChange } from '../ui/colors.js';
import { debounce, el, showError } from '../ui/dom.js';
import { significant, whole } from '../ui/format.js';
import { NumberSlider } from '../ui/number_slider.js';
import { svg } from '../ui/plot.js';
import type { WorkClient, WorkError } from '../worker/client.js';
import { LossChart, middle } from './loss_chart.js';
import { MapChart } from './map_chart.js';
import type { Progress, Requests, Settings, Started, Task } from './protocol.js';
import { LIMITS, readSettings, readSpeed, SPEEDS, writtenSettings } from './settings.js';
import { WeightsChart } from './weights_chart.js';

type Client = WorkClient<Requests, Progress>;

/** How often a run that plays is drawn, in milliseconds: seldom for those who want little to move. */
const [FRAME_MS, CALM_FRAME_MS] = [33, 1000];
/** Quiet time before a setting takes effect, and before something is announced. */
const [SETTLE_MS, ANNOUNCE_MS] = [120, 700];
/** Rows of the table of losses, at most. */
const MOST_ROWS = 20;

const TASK_WORDS: Record<Task, { title: string; hint: string }> = {
  recover: {
    title: 'Find γ and β',
    hint:
      'A hidden layer with other weights has made targets y* = γ*·x̂ + β* + noise from 1,024 samples of 8 elements. ' +
      'This layer starts at γ = 1, β = 0 and has to find γ* and β*.',
  },
  rings: {
    title: 'Rings',
    hint: 'Tell an inner ring of points from an outer one. Two nets try it, one with layer norm and one without.',
  },
  spirals: {
    title: 'Spirals',
    hint: 'Tell two spirals apart. Two nets try it, one with layer norm and one without. Give them some thousand steps.',
  },
};

const NAMES = { recover: ['the layer'], nets: ['with layer norm', 'without'] };

const number = (value: number | undefined, digits = 4) =>
  value === undefined ? '–' : significant(value, digits);

export class RunView {
  readonly element: HTMLElement;
  readonly #client: Client;
  readonly #state: State;
  #settings: Settings;
  #speed: number;
  #run = 0;
  #started: Started | undefined;
  #progress: Progress | undefined;
  /** While the run plays. */
  #playing: AbortController | undefined;
  #isDrawn = true;

  readonly #tasks = new Map<Task, HTMLInputElement>();
  readonly #taskHint = el('p', { class: 'hint', id: 'training-task-hint' });
  readonly #rate: NumberSlider;
  readonly #batch: NumberSlider;
  readonly #input: NumberSlider;
  readonly #inputHint = el('p', { class: 'hint' });
  readonly #seed: HTMLInputElement;
  readonly #center: HTMLInputElement;
  readonly #scale: HTMLInputElement;
  readonly #play = el(
    'button',
    { class: 'button primary play', type: 'button', id: 'training-play' },
    'Play',
  );
  readonly #range: HTMLInputElement;
  readonly #rangeText = el('output', { for: 'training-speed', id: 'training-speed-text' });
  readonly #error = el('p', { class: 'notice error', role: 'alert', hidden: true });
  readonly #note = el('p', { class: 'notice info', id: 'training-note', hidden: true });
  readonly #facts = new Map<string, [HTMLElement, HTMLElement]>();
  readonly #lossPlot = el('div', { class: 'loss-plot' });
  readonly #loss = new LossChart(this.#lossPlot);
  readonly #legend = el('span', { class: 'series-legend' });
  readonly #lossTable = el('table', { id: 'training-losses' });
  readonly #weightsTable = el('table', { id: 'training-weights' });
  readonly #tables: readonly HTMLDetailsElement[];
  readonly #weightsTitle = el('h3', { id: 'training-weights-title' });
  readonly #weightsCaption = el('figcaption');
  readonly #charts = [
    new WeightsChart({ title: 'γ', start: 1, domain: [0, 2.75] }),
    new WeightsChart({ title: 'β', start: 0, domain: [-1.75, 1.75] }),
  ];
  readonly #maps = [new MapChart(), new MapChart()];
  readonly #mapNames = NAMES.nets.map((name) =>
    el('p', { class: 'pane-title' }, name.charAt(0).toUpperCase() + name.slice(1)),
  );
  readonly #mapTexts = NAMES.nets.map((_, i) => el('p', { class: 'map-text', id: `training-fit-${i}` }));
  readonly #weightsBody = el('div', { class: 'weights-charts' });
  readonly #mapsBody = el('div', { class: 'maps' });
  readonly #announcer = el('p', {
    class: 'visually-hidden',
    'aria-live': 'polite',
    id: 'training-announcer',
  });

  constructor(client: Client, state: State) {
    this.#client = client;
    this.#state = state;
    this.#settings = readSettings(state);
    this.#speed = readSpeed(state);
    const { rate, batch, input, seed } = this.#settings;
    this.#rate = new NumberSlider({
      id: 'training-rate',
      label: 'Learning rate',
      min: LIMITS.rate[0],
      max: LIMITS.rate[1],
      step: 0.25,
      isLogarithmic: true,
      value: rate,
      valueText: (value) => significant(value),
      onChange: (value) => this.#choose({ rate: value }),
    });
    this.#batch = new NumberSlider({
      id: 'training-batch',
      label: 'Samples in a batch',
      min: LIMITS.batch[0],
      max: LIMITS.batch[1],
      step: 1,
      value: batch,
      onChange: (value) => this.#choose({ batch: Math.round(value) }),
    });
    this.#input = new NumberSlider({
      id: 'training-input',
      label: 'Inputs times 10 to the power of',
      min: LIMITS.input[0],
      max: LIMITS.input[1],
      step: 0.5,
      value: input,
      valueText: (value) => `10 to the power of ${value}`,
      onChange: (value) => this.#choose({ input: value }),
    });
    this.#seed = el('input', {
      type: 'number',
      class: 'number',
      id: 'training-seed',
      min: LIMITS.seed[0],
      max: LIMITS.seed[1],
      step: 1,
      value: seed,
    });
    this.#center = el('input', { type: 'checkbox', id: 'training-center' });
    this.#scale = el('input', { type: 'checkbox', id: 'training-scale' });
    this.#range = el('input', {
      type: 'range',
      id: 'training-speed',
      min: 0,
      max: SPEEDS.length - 1,
      step: 1,
      value: this.#speed,
      'aria-label': 'Speed',
    });
    this.#tables = [
      table('training-losses-details', 'The losses as a table', this.#lossTable),
      table('training-weights-details', 'γ and β as a table', this.#weightsTable),
    ];
    for (const details of this.#tables) details.addEventListener('toggle', () => this.#draw());
    this.element = el('div', { class: 'with-controls' }, this.#controls(), this.#results());
    onThemeChange(() => {
      for (const map of this.#maps) map.redraw();
    });
    this.#listen();
  }

  #controls(): HTMLElement {
    const tasks = (Object.keys(TASK_WORDS) as Task[]).map((task) => {
      const radio = el('input', { type: 'radio', name: 'training-task', value: task });
      radio.addEventListener('change', () => this.#choose({ task }));
      this.#tasks.set(task, radio);
      return el('label', {}, radio, el('span', {}, TASK_WORDS[task].title));
    });
    const another = el('button', { class: 'button', type: 'button', id: 'training-reseed' }, 'Another');
    another.addEventListener('click', () => {
      const seed = 1 + Math.floor(999 * Math.random());
      this.#seed.value = String(seed);
      this.#seed.removeAttribute('aria-invalid');
      this.#choose({ seed });
    });
    const chip = (box: HTMLInputElement, name: string, what: string) =>
      el(
        'label',
        { class: 'chip' },
        box,
        el('span', {}, el('b', {}, name), el('span', { class: 'chip-size' }, what)),
      );
    return el(
      'div',
      { class: 'controls' },
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'training-task-title' },
        el('h3', { id: 'training-task-title' }, 'What is learned'),
        el(
          'form',
          {},
          el(
            'fieldset',
            { class: 'field', 'aria-label': 'Task' },
            el('div', { class: 'segmented' }, ...tasks),
            this.#taskHint,
          ),
          el('div', { class: 'field' }, this.#rate.element),
          el('div', { class: 'field' }, this.#batch.element),
          el('div', { class: 'field', id: 'training-input-field' }, this.#input.element, this.#inputHint),
          el(
            'fieldset',
            { class: 'field' },
            el('legend', {}, 'The layer has'),
            el(
              'div',
              { class: 'chips' },
              chip(this.#scale, 'scale', 'a factor γ'),
              chip(this.#center, 'center', 'a summand β'),
            ),
          ),
          el(
            'div',
            { class: 'field' },
            el(
              'label',
              { class: 'label', for: 'training-seed' },
              'Seed of the data, the first weights and the batches',
            ),
            el('div', { class: 'seed' }, this.#seed, another),
          ),
        ),
      ),
    );
  }

  #results(): HTMLElement {
    const button = (id: string, text: string, act: () => void) => {
      const element = el('button', { class: 'button', type: 'button', id }, text);
      element.addEventListener('click', act);
      return element;
    };
    const fact = (key: string, term: string) => {
      const [value, detail] = [
        el('dd', { id: `training-${key}` }, '…'),
        el('dd', { class: 'detail' }, '\u00a0'),
      ];
      this.#facts.set(key, [value, detail]);
      return el('div', {}, el('dt', {}, term), value, detail);
    };
    this.#weightsBody.append(...this.#charts.map(({ element }) => element));
    this.#maps.forEach(({ element }, i) => {
      this.#mapsBody.append(
        el('div', { class: 'map-pane' }, this.#mapNames[i] as Node, element, this.#mapTexts[i] as Node),
      );
    });
    return el(
      'div',
      { class: 'results skip-target', tabindex: -1 },
      el(
        'section',
        { class: 'card player', 'aria-label': 'Run' },
        el(
          'div',
          { class: 'player-buttons' },
          this.#play,
          button('training-step', 'Step', () => void this.#step(1)),
          button('training-steps', '100 steps', () => void this.#step(100)),
          button('training-reset', 'Reset', () => void this.#start(false)),
        ),
        el(
          'div',
          { class: 'player-speed' },
          el('label', { for: 'training-speed' }, 'Speed'),
          this.#range,
          this.#rangeText,
        ),
      ),
      el(
        'section',
        { class: 'engine', 'aria-label': 'How it is computed' },
        el(
          'dl',
          {},
          fact('engine', 'Computed by'),
          fact('count', 'Step'),
          fact('last', 'Loss'),
          fact('gradient', 'Length of the gradient'),
        ),
      ),
      this.#error,
      this.#note,
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'training-loss-title' },
        el('h3', { id: 'training-loss-title' }, 'The loss'),
        el('figure', {}, el('figcaption', {}, this.#legend), this.#lossPlot),
        this.#tables[0] as Node,
      ),
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'training-weights-title' },
        this.#weightsTitle,
        el('figure', {}, this.#weightsCaption, this.#weightsBody, this.#mapsBody),
        this.#tables[1] as Node,
      ),
      this.#announcer,
    );
  }

  #listen(): void {
    this.#play.addEventListener('click', () => (this.#playing ? this.pause() : void this.#playOn()));
    this.#center.addEventListener('change', () => this.#choose({ center: this.#center.checked }));
    this.#scale.addEventListener('change', () => this.#choose({ scale: this.#scale.checked }));
    this.#seed.addEventListener('input', () => {
      const seed = this.#seed.valueAsNumber;
      const isGood = Number.isInteger(seed) && seed >= LIMITS.seed[0] && seed <= LIMITS.seed[1];
      if (isGood) this.#seed.removeAttribute('aria-invalid');
      else this.#seed.setAttribute('aria-invalid', 'true');
      if (isGood) this.#choose({ seed });
    });
    this.#range.addEventListener('input', () => {
      this.#speed = this.#range.valueAsNumber;
      this.#showSpeed();
      this.#write();
      void this.#client.request('speed', { perSecond: SPEEDS[this.#speed] as number });
    });
    // Nobody sees it then.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.pause();
    });
    for (const form of this.element.querySelectorAll('form')) {
      form.addEventListener('submit', (event) => event.preventDefault());
    }
  }

  /** Shows what the address says. A run that it does not change stays. */
  restore(): void {
    const settings = readSettings(this.#state);
    const isSame = JSON.stringify(settings) === JSON.stringify(this.#settings);
    this.#settings = settings;
    this.#speed = readSpeed(this.#state);
    this.#range.value = String(this.#speed);
    this.#rate.value = settings.rate;
    this.#batch.value = settings.batch;
    this.#input.value = settings.input;
    this.#seed.value = String(settings.seed);
    this.#seed.removeAttribute('aria-invalid');
    this.#center.checked = settings.center;
    this.#scale.checked = settings.scale;
    for (const [task, radio] of this.#tasks) radio.checked = task === settings.task;
    this.#showSpeed();
    this.#showTask();
    void this.#client.request('speed', { perSecond: SPEEDS[this.#speed] as number });
    if (!isSame || !this.#started) void this.#start(false);
  }

  pause(): void {
    this.#playing?.abort();
  }

  #write(): void {
    this.#state.set(writtenSettings(this.#settings, this.#speed));
  }

  /** A run belongs to its settings, so another one begins; it plays on where the last one did. */
  #choose(chosen: Partial<Settings>): void {
    this.#settings = { ...this.#settings, ...chosen };
    this.#showTask();
    this.#write();
    this.#restart();
  }

  readonly #restart = debounce(SETTLE_MS, () => void this.#start(true));

  /** @param goesOn - whether a run that plays is followed by one that plays */
  async #start(goesOn: boolean): Promise<void> {
    if (!goesOn) this.pause();
    const run = ++this.#run;
    showError(this.#error, undefined);
    try {
      const started = await this.#client.request('start', this.#settings);
      if (run !== this.#run) return;
      this.#started = started;
      this.#progress = started.progress;
      const { version, variant, threads } = started.engine;
      this.#setFact(
        'engine',
        `layernorm ${version}`,
        `${variant}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      );
      this.#draw();
      this.#announce('A new run, at step 0.');
    } catch (error) {
      if (run === this.#run) showError(this.#error, error as WorkError);
    }
  }

  async #step(count: number): Promise<void> {
    this.pause();
    try {
      this.show(await this.#client.request('step', { count }));
      this.#announceProgress();
    } catch (error) {
      showError(this.#error, error as WorkError);
    }
  }

  async #playOn(): Promise<void> {
    const controller = new AbortController();
    this.#playing = controller;
    // The name of the button says what it does next.
    this.#play.textContent = 'Pause';
    controller.signal.addEventListener('abort', () => this.#showPaused(controller));
    const frame = matchMedia('(prefers-reduced-motion: reduce)').matches ? CALM_FRAME_MS : FRAME_MS;
    try {
      const progress = await this.#client.request('play', { frame }, { signal: controller.signal });
      this.show(progress);
      if (!this.#playing || this.#playing === controller) this.#announceProgress();
    } catch (error) {
      showError(this.#error, error as WorkError);
    }
    this.#showPaused(controller);
  }

  #showPaused(controller: AbortController): void {
    if (this.#playing !== controller) return;
    this.#playing = undefined;
    this.#play.textContent = 'Play';
  }

  /** Takes up how far a run has come, and draws it with the next frame. */
  show(progress: Progress): void {
    const before = this.#progress;
    if (
      !before ||
      progress.run < before.run ||
      (progress.run === before.run && progress.steps < before.steps)
    )
      return;
    if (progress.run !== this.#started?.progress.run) return;
    this.#progress = { ...progress, perSecond: progress.perSecond ?? before.perSecond };
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    requestAnimationFrame(() => {
      this.#isDrawn = true;
      this.#draw();
    });
  }

  #showSpeed(): void {
    const isMost = this.#speed === SPEEDS.length - 1;
    const pace = SPEEDS[this.#speed] as number;
    const text = isMost ? 'as fast as it goes' : `${whole(pace)} ${pace === 1 ? 'step' : 'steps'} a second`;
    this.#rangeText.textContent = text;
    this.#range.setAttribute('aria-valuetext', text);
  }

  #showTask(): void {
    const { task, input } = this.#settings;
    this.#taskHint.textContent = TASK_WORDS[task].hint;
    (this.#input.element.parentElement as HTMLElement).hidden = task === 'recover';
    this.#inputHint.textContent =
      `Both nets get the coordinates, and a constant 1, times ${number(10 ** input, 3)}, as if in another unit. ` +
      'Layer norm takes such a factor out again, as long as epsilon is small beside the variance. Without it the factor ' +
      'decides whether the net learns: compare −1, 1 and 3.';
  }

  #setFact(key: string, value: string, detail: string): void {
    const fact = this.#facts.get(key);
    if (!fact) return;
    fact[0].textContent = value;
    fact[1].textContent = detail || '\u00a0';
  }

  #draw(): void {
    const [started, progress] = [this.#started, this.#progress];
    if (!started || !progress) return;
    const { task } = this.#settings;
    const { hidden, points } = started;
    const isRecovery = hidden !== undefined;
    const { learners, layers, steps, perSecond } = progress;
    const [first, second] = learners;
    this.#setFact(
      'count',
      whole(steps),
      perSecond === undefined ? '' : `up to ${whole(Number(perSecond.toPrecision(2)))} a second`,
    );
    const beside = (value: number | undefined) =>
      second ? `with layer norm, ${number(value, 3)} without` : 'of the last batch';
    this.#setFact('last', number(first?.loss), beside(second?.loss));
    this.#setFact(
      'gradient',
      number(first?.gradient, 3),
      second ? beside(second.gradient) : this.#gradientText(),
    );
    this.#loss.show(progress, hidden?.lowest);
    this.#showLegend(isRecovery, hidden?.lowest);
    this.#weightsBody.hidden = !isRecovery;
    this.#mapsBody.hidden = isRecovery;
    this.#weightsTitle.textContent = isRecovery ? 'What it has learned' : 'What they have learned';
    this.#weightsCaption.textContent = isRecovery
      ? 'Dots are the weights now, on their way from the line where they start; rings are the hidden ones.'
      : 'How each net colours the plane: orange where it takes a point for a square, blue for a circle. ' +
        'The dense layers are a few lines of float32 JavaScript, the norms with their gradients are the package’s; ' +
        'both nets start from the same weights and see the same batches.';
    if (hidden) {
      const [weights] = layers;
      this.#charts[0]?.show(
        weights?.gamma,
        hidden.gamma,
        'No γ to learn: the layer was made with scale: false.',
      );
      this.#charts[1]?.show(
        weights?.beta,
        hidden.beta,
        'No β to learn: the layer was made with center: false.',
      );
    }
    if (points) {
      learners.forEach(({ fit }, i) => {
        if (!fit) return;
        this.#maps[i]?.show(fit.map, points);
        const text = this.#mapTexts[i] as HTMLElement;
        text.textContent = `${number(100 * fit.right, 3)} % right, loss ${number(fit.loss, 3)} on all points`;
      });
    }
    const isLost = learners.some(({ loss }) => loss !== undefined && !Number.isFinite(loss));
    this.#note.hidden = !isLost;
    this.#note.textContent = isLost
      ? `The loss has left the range of float32: with this learning rate every step overshoots. Choose a smaller one.`
      : '';
    if (this.#tables[0]?.open) this.#fillLosses(progress, task);
    if (this.#tables[1]?.open) this.#fillWeights(progress, hidden);
  }

  #gradientText(): string {
    const [weights] = this.#progress?.layers ?? [];
    const length = (values: readonly number[] | undefined) =>
      values ? significant(Math.hypot(...values), 2) : 'none';
    return weights?.dgamma || weights?.dbeta ? `γ ${length(weights.dgamma)}, β ${length(weights.dbeta)}` : '';
  }

  #showLegend(isRecovery: boolean, lowest: number | undefined): void {
    const swatch = (kind: string) =>
      svg(
        'svg',
        { class: 'swatch', width: 28, height: 10, 'aria-hidden': 'true' },
        svg('line', { class: kind, x1: 0, x2: 28, y1: 5, y2: 5 }),
      );
    const entry = (kind: string, text: string) => el('span', { class: 'series-entry' }, swatch(kind), text);
    const names = isRecovery
      ? ['mean squared error of a batch']
      : NAMES.nets.map((name) => `cross-entropy ${name}`);
    const entries = names.map((name, i) => entry(`curve series-${i + 1}`, name));
    if (lowest !== undefined) {
      const { center, scale } = this.#settings;
      const why =
        center && scale ? 'all that is left is the noise' : 'what the missing weights leave, and the noise';
      entries.push(entry('lowest', `${significant(lowest, 3)}: ${why}`));
    }
    const key = entries.map(({ textContent }) => textContent).join();
    if (this.#legend.dataset.key === key) return;
    this.#legend.dataset.key = key;
    this.#legend.replaceChildren(...entries);
  }

  #fillLosses({ every, learners, steps }: Progress, task: Task): void {
    const names = task === 'recover' ? ['loss'] : NAMES.nets;
    const count = learners[0]?.losses.length ?? 0;
    const stride = Math.max(1, Math.ceil(count / MOST_ROWS));
    const rows = [];
    for (let i = 0; i < count; i += stride) {
      const last = Math.min(i, count - 1);
      rows.push([
        every === 1 ? whole(last + 1) : whole(Math.round(middle(last, every))),
        ...learners.map(({ losses }) => number(losses[last])),
      ]);
    }
    if (steps > 0) rows.push([`${whole(steps)}, the last`, ...learners.map(({ loss }) => number(loss))]);
    fill(
      this.#lossTable,
      every === 1 ? 'Loss of each batch' : `Means over ${every} steps`,
      ['step', ...names],
      rows,
    );
  }

  #fillWeights({ layers }: Progress, hidden: Started['hidden']): void {
    const isRecovery = hidden !== undefined;
    const names = [
      'γ',
      ...(isRecovery ? ['hidden γ'] : []),
      'gradient',
      'β',
      ...(isRecovery ? ['hidden β'] : []),
      'gradient',
    ];
    const rows = layers.flatMap(({ gamma, beta, dgamma, dbeta }, layer) => {
      const size = hidden?.gamma.length ?? gamma?.length ?? beta?.length ?? 0;
      return Array.from({ length: size }, (_, i) => [
        isRecovery ? String(i + 1) : `layer ${layer + 1}, ${i + 1}`,
        number(gamma?.[i]),
        ...(hidden ? [number(hidden.gamma[i])] : []),
        number(dgamma?.[i], 3),
        number(beta?.[i]),
        ...(hidden ? [number(hidden.beta[i])] : []),
        number(dbeta?.[i], 3),
      ]);
    });
    const caption = isRecovery
      ? 'The weights now, and the gradients of the last step'
      : 'Of both layers of the net with norms';
    fill(this.#weightsTable, caption, ['element', ...names], rows);
  }

  readonly #announce = debounce(ANNOUNCE_MS, (sentence: string) => {
    this.#announcer.textContent = sentence;
  });

  #announceProgress(): void {
    const progress = this.#progress;
    if (!progress || progress.steps === 0) return;
    const [first, second] = progress.learners;
    const beside = second ? ` with layer norm, ${number(second.loss, 3)} without` : '';
    this.#announce(`Step ${whole(progress.steps)}: loss ${number(first?.loss, 3)}${beside}.`);
  }
}

function table(id: string, summary: string, content: HTMLElement): HTMLDetailsElement {
  return el(
    'details',
    { class: 'as-table', id },
    el('summary', {}, summary),
    el('section', { class: 'table-scroll', tabindex: 0, 'aria-label': summary }, content),
  );
}

function fill(
  target: HTMLTableElement,
  caption: string,
  names: readonly string[],
  rows: readonly string[][],
): void {
  target.replaceChildren(
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...names.map((name) => el('th', { scope: 'col' }, name)))),
    el(
      'tbody',
      {},
      ...rows.map(([head, ...cells]) =>
        el('tr', {}, el('th', { scope: 'row' }, head), ...cells.map((cell) => el('td', {}, cell))),
      ),
    ),
  );
}
