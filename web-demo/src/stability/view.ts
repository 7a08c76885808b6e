// The stability lab: one row of numbers, normalized by the package and by formulas that are known to fail.

import './stability.css';
import type { OpenView, State, View } from '../app/view.js';
import { debounce, el, showError } from '../ui/dom.js';
import { significant } from '../ui/format.js';
import { onWidth } from '../ui/plot.js';
import { WorkClient, type WorkError } from '../worker/client.js';
import { chart, chartTable } from './chart.js';
import { Controls } from './controls.js';
import { PRESETS, presetOf } from './presets.js';
import type { Event, FormulaName, Outcome, Requests, SweepPoint } from './protocol.js';
import { formulaName, resultTable, verdictLine } from './result_table.js';
import { swatch } from './series.js';
import { readSettings, type Settings, sweepOffsets, writeSettings } from './settings.js';
import { strip, stripTable } from './strip.js';
import { TYPES } from './types.js';
import { announcement, inFull, rowText, titleOf } from './words.js';

/** Quiet time before settings take effect, before the chart is computed, and before something is announced. */
const [SETTLE_MS, SWEEP_MS, ANNOUNCE_MS] = [60, 400, 800];

interface Sweep {
  readonly id: number;
  readonly settings: Settings;
  readonly names: readonly FormulaName[];
  readonly points: SweepPoint[];
  readonly stop: AbortController;
  state: 'running' | 'stopped' | 'done';
}

class StabilityLab implements View {
  readonly #state: State;
  readonly #client = new WorkClient<Requests, Event>('stability', (event) => this.#addPoint(event));
  readonly #controls = new Controls(() => this.#changed());
  readonly #presets: ReadonlyMap<string, HTMLButtonElement>;
  readonly #about = el('p', { class: 'preset-about', id: 'stability-about' });
  readonly #glance = el('ul', { class: 'glance', id: 'stability-glance', 'aria-label': 'At a glance' });
  readonly #error = el('p', { class: 'notice error', role: 'alert', hidden: true });
  readonly #engine = el('p', { class: 'hint', id: 'stability-engine' }, 'Starting');
  readonly #row = el('p', { class: 'hint', id: 'stability-row' });
  readonly #results = el('section', { class: 'table-scroll', tabindex: 0, 'aria-label': 'Results' });
  readonly #cancellation = el('div', { class: 'cancellation', id: 'stability-cancellation', hidden: true });
  readonly #strip = el('div', { class: 'plot-place' });
  readonly #stripTable = el('div', { class: 'table-scroll tall', tabindex: 0, role: 'group' });
  readonly #stripDetails: HTMLDetailsElement;
  readonly #chart = el('div', { class: 'plot-place chart-place' });
  readonly #legend = el('ul', { class: 'stability-legend', id: 'stability-legend' });
  readonly #chartTable = el('div', { class: 'table-scroll tall', tabindex: 0, role: 'group' });
  readonly #chartDetails: HTMLDetailsElement;
  readonly #progress = el('progress', { max: 1, value: 0, 'aria-label': 'Points of the chart' });
  readonly #progressText = el('span', { id: 'stability-progress' });
  readonly #sweepButton = el('button', { class: 'button', id: 'stability-cancel', type: 'button' }, 'Cancel');
  readonly #announcer = el('p', {
    class: 'visually-hidden',
    'aria-live': 'polite',
    id: 'stability-announcer',
  });

  #outcome: Outcome | undefined;
  #sweep: Sweep | undefined;
  #sweeps = 0;
  #runs = 0;
  #frame: number | undefined;
  #width = { strip: 0, chart: 0 };

  constructor(root: HTMLElement, state: State) {
    this.#state = state;
    this.#presets = new Map(
      PRESETS.map((preset) => {
        const button = el(
          'button',
          { class: 'chip-button', type: 'button', 'data-preset': preset.name, 'aria-pressed': 'false' },
          preset.title,
        );
        button.addEventListener('click', () => {
          this.#controls.settings = preset.settings;
          this.#changed();
        });
        return [preset.name, button];
      }),
    );
    this.#stripDetails = el(
      'details',
      { class: 'as-table', id: 'stability-strip-table' },
      el('summary', {}, 'As a table, with the input'),
      this.#stripTable,
    );
    this.#chartDetails = el(
      'details',
      { class: 'as-table', id: 'stability-chart-table' },
      el('summary', {}, 'As a table'),
      this.#chartTable,
    );
    this.#stripTable.setAttribute('aria-label', 'Elements of y');
    this.#chartTable.setAttribute('aria-label', 'Errors');
    this.#sweepButton.addEventListener('click', () => {
      if (this.#sweep?.state === 'running') this.#stopSweep();
      else void this.#startSweep();
    });
    for (const details of [this.#stripDetails, this.#chartDetails]) {
      details.addEventListener('toggle', () => this.#fillTables());
    }
    root.append(this.#introduction(), this.#layout());
    onWidth(this.#strip, (width) => {
      this.#width.strip = width;
      this.#drawStrip();
    });
    onWidth(this.#chart, (width) => {
      this.#width.chart = width;
      this.#drawChart();
    });
  }

  restore(): void {
    this.#controls.settings = readSettings((name) => this.#state.get(name));
    this.#show();
  }

  hide(): void {
    this.#sweep?.stop.abort();
  }

  show(): void {
    if (this.#sweep?.state === 'running') void this.#startSweep();
  }

  #introduction(): HTMLElement {
    return el(
      'div',
      { class: 'stability-intro' },
      el('h2', {}, 'Stability lab'),
      el(
        'p',
        { class: 'lead' },
        'Variance is the mean of the squared distances from the mean. On paper E[x²] − E[x]² is the same, and takes one pass. With rounded numbers it is not: where the mean is large beside the spread, two huge numbers cancel, and what remains is their rounding error.',
      ),
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'stability-presets-title' },
        el('h3', { id: 'stability-presets-title' }, 'Rows to start from'),
        el('div', { class: 'presets stability-presets' }, ...this.#presets.values()),
        this.#about,
        this.#glance,
      ),
    );
  }

  #layout(): HTMLElement {
    const results = el(
      'div',
      { class: 'results skip-target', tabindex: -1 },
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'stability-results-title' },
        el('h3', { id: 'stability-results-title' }, 'The same row by each formula'),
        this.#error,
        this.#row,
        this.#results,
        this.#cancellation,
        this.#engine,
      ),
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'stability-chart-title' },
        el('h3', { id: 'stability-chart-title' }, 'How the error grows with the mean'),
        el(
          'figure',
          {},
          el(
            'figcaption',
            {},
            el(
              'p',
              {},
              'The largest error in y, with the row as it is but another constant added to it. Both scales are logarithmic; one ulp is the distance of neighbouring numbers of the type of y. Click into the chart to choose a constant.',
            ),
            this.#legend,
          ),
          this.#chart,
          el('div', { class: 'sweep-state' }, this.#sweepButton, this.#progress, this.#progressText),
          this.#chartDetails,
        ),
      ),
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'stability-strip-title' },
        el('h3', { id: 'stability-strip-title' }, 'What comes out'),
        el(
          'figure',
          {},
          el(
            'figcaption',
            {},
            el(
              'p',
              {},
              'The first elements of y. The grey line and its rings are the reference; filled marks are what a formula gives. A mark in its ring is right, as far as one can see.',
            ),
          ),
          this.#strip,
          this.#stripDetails,
        ),
      ),
      formulas(),
      this.#announcer,
    );
    return el('div', { class: 'with-controls' }, this.#controls.element, results);
  }

  /** A person has chosen something. */
  #changed(): void {
    this.#state.set(writeSettings(this.#controls.settings));
    this.#show();
  }

  #show(): void {
    const { settings } = this.#controls;
    const preset = presetOf(settings);
    for (const [name, button] of this.#presets) {
      button.setAttribute('aria-pressed', String(name === preset?.name));
    }
    this.#about.replaceChildren(
      preset?.about ??
        'A row of your own. Everything that you choose is in the address: a link to it restores it.',
    );
    if (preset?.source) {
      const { text, address } = preset.source;
      this.#about.append(' See ', el('a', { href: address }, text), '.');
    }
    this.#run();
    if (this.#sweep && keyOf(this.#sweep.settings) !== keyOf(settings)) this.#sweep.stop.abort();
    this.#sweepSoon();
  }

  readonly #run = debounce(SETTLE_MS, async () => {
    const run = ++this.#runs;
    try {
      const outcome = await this.#client.request('run', this.#controls.settings);
      if (run !== this.#runs) return;
      showError(this.#error, undefined);
      this.#outcome = outcome;
      this.#showOutcome(outcome);
    } catch (error) {
      if (run === this.#runs) showError(this.#error, error as WorkError);
    }
  });

  readonly #sweepSoon = debounce(SWEEP_MS, () => {
    const { settings } = this.#controls;
    if (this.#sweep && keyOf(this.#sweep.settings) === keyOf(settings)) this.#drawChart();
    else void this.#startSweep();
  });

  #showOutcome(outcome: Outcome): void {
    const { engine, call, settings } = outcome;
    const threads = `${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}`;
    this.#engine.replaceChildren(
      `layernorm ${engine.version}, ${engine.variant}, ${threads}: `,
      el('code', {}, call),
      settings.method === 'layer'
        ? '. Mean and variance by layerNormForward and moments; a variance that its type has no number for is stored as ∞ or 0, but is not what y was divided by.'
        : '.',
    );
    this.#row.textContent = rowText(outcome);
    this.#results.replaceChildren(resultTable(outcome));
    this.#glance.replaceChildren(
      ...outcome.results.map((result) =>
        el('li', {}, formulaName(result.name, settings.type), verdictLine(result, outcome)),
      ),
    );
    this.#showCancellation(outcome);
    this.#drawStrip();
    this.#drawChart();
    this.#fillTables();
    this.#announce(announcement(outcome));
  }

  /** The subtraction that one pass ends with, in the numbers of this row. */
  #showCancellation({ results, settings, truth }: Outcome): void {
    const { parts, variance } = results.find(({ name }) => name === 'onePass') ?? {};
    this.#cancellation.hidden = !parts || !Number.isFinite(parts.meanOfSquares);
    if (!parts || variance === undefined) return;
    const arithmetic = settings.type === 'float64' ? 'float64' : 'float32';
    const spacing = spacingText(parts.meanOfSquares, arithmetic);
    const line = (label: string, value: string, kind = ''): HTMLElement =>
      el('div', { class: kind }, el('dt', {}, label), el('dd', {}, value));
    this.#cancellation.replaceChildren(
      el('h4', {}, 'Where the digits go'),
      el(
        'dl',
        {},
        line('E[x²]', inFull(parts.meanOfSquares)),
        line('− E[x]²', inFull(parts.squareOfMean)),
        line('= variance, one pass', inFull(variance), 'total'),
        line('variance, reference', inFull(truth.variance)),
      ),
      el(
        'p',
        { class: 'hint' },
        `Neighbouring ${arithmetic} numbers of the size of E[x²] are ${spacing} apart: what is smaller, the difference of two of them cannot tell.`,
      ),
    );
  }

  #drawStrip(): void {
    if (this.#outcome && this.#width.strip > 0) {
      this.#strip.replaceChildren(strip(this.#outcome, this.#width.strip));
    }
  }

  /** Drawn as a sweep goes on, and when what is marked in it changes. */
  #drawChart(): void {
    const sweep = this.#sweep;
    if (!sweep || this.#width.chart === 0) return;
    const { points, names } = sweep;
    const settings = { ...sweep.settings, offset: this.#controls.settings.offset };
    const drawn = chart({
      width: this.#width.chart,
      settings,
      points,
      names,
      onPick: (offset) => {
        this.#controls.settings = { ...this.#controls.settings, offset };
        this.#changed();
      },
    });
    this.#chart.replaceChildren(drawn);
  }

  /** Tables are long, so only those that are open have rows. */
  #fillTables(): void {
    if (this.#stripDetails.open && this.#outcome) this.#stripTable.replaceChildren(stripTable(this.#outcome));
    if (this.#chartDetails.open && this.#sweep) {
      const { offset } = this.#controls.settings;
      const { settings, points, names } = this.#sweep;
      this.#chartTable.replaceChildren(chartTable({ ...settings, offset }, points, names));
    }
  }

  async #startSweep(): Promise<void> {
    this.#sweep?.stop.abort();
    const { settings } = this.#controls;
    const sweep: Sweep = {
      id: ++this.#sweeps,
      settings,
      names: namesOf(settings),
      points: [],
      stop: new AbortController(),
      state: 'running',
    };
    this.#sweep = sweep;
    this.#legend.replaceChildren(
      ...sweep.names.map((name) => el('li', {}, swatch(name), titleOf(name, settings.type))),
    );
    this.#drawChart();
    this.#sayProgress();
    try {
      const isDone = await this.#client.request(
        'sweep',
        { sweep: sweep.id, settings },
        { signal: sweep.stop.signal },
      );
      if (isDone && sweep.state === 'running') sweep.state = 'done';
    } catch (error) {
      if (sweep !== this.#sweep) return;
      sweep.state = 'stopped';
      showError(this.#error, error as WorkError);
    }
    if (sweep === this.#sweep) {
      this.#drawChart();
      this.#sayProgress();
      this.#fillTables();
    }
  }

  #stopSweep(): void {
    if (!this.#sweep) return;
    this.#sweep.stop.abort();
    this.#sweep.state = 'stopped';
    this.#sayProgress();
    this.#fillTables();
    this.#announce('The chart has been cancelled.');
  }

  #addPoint({ sweep, point }: Event): void {
    if (sweep !== this.#sweep?.id || this.#sweep.state !== 'running') return;
    this.#sweep.points.push(point);
    this.#sayProgress();
    // Points come faster than frames.
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#drawChart();
    });
  }

  #sayProgress(): void {
    if (!this.#sweep) return;
    const { points, settings, state } = this.#sweep;
    const all = sweepOffsets(settings.type).length;
    this.#progress.value = points.length / all;
    this.#progress.hidden = state !== 'running';
    this.#sweepButton.textContent = state === 'running' ? 'Cancel' : 'Compute again';
    const counted = `${points.length} of ${all} constants`;
    this.#progressText.textContent = state === 'stopped' ? `Cancelled after ${counted}.` : counted;
  }

  readonly #announce = debounce(ANNOUNCE_MS, (sentence: string) => {
    this.#announcer.textContent = sentence;
  });
}

/** What the chart depends on: all but the constant, which it goes through. */
function keyOf(settings: Settings): string {
  return JSON.stringify({ ...settings, offset: 0 });
}

function namesOf({ method, type }: Settings): FormulaName[] {
  const isShort = type === 'float16' || type === 'bfloat16';
  const names: FormulaName[] =
    method === 'layer' ? ['kernel', 'onePass', 'twoPass', 'welford'] : ['kernel', 'plainRms'];
  return isShort ? [...names, 'sixteenBit'] : names;
}

function formulas(): HTMLElement {
  const steps = (title: string, code: string): HTMLElement =>
    el('div', {}, el('h4', {}, title), el('pre', {}, el('code', {}, code)));
  const prose = (title: string, text: string): HTMLElement =>
    el('div', {}, el('h4', {}, title), el('p', {}, text));
  return el(
    'details',
    { class: 'card formulas' },
    el('summary', {}, 'The formulas, step by step'),
    el(
      'p',
      { class: 'hint' },
      'Each operation is rounded to the type of the arithmetic, as hardware does it. Numbers of 16 bits are computed with in float32, and the results rounded; “all in float16” rounds every operation to 16 bits. float64 rows are computed in float64.',
    ),
    el(
      'div',
      { class: 'formula-grid' },
      steps(
        'One pass',
        's = q = 0\nfor v of x:  s += v;  q += v·v\nmean = s / n\nvariance = q / n − mean·mean',
      ),
      steps(
        'Two passes',
        's = q = 0\nfor v of x:  s += v\nmean = s / n\nfor v of x:  q += (v − mean)²\nvariance = q / n',
      ),
      steps(
        'Welford',
        'mean = q = 0\nfor v of x, k = 1, 2, …:\n  d = v − mean\n  mean += d / k\n  q += d·(v − mean)\nvariance = q / n',
      ),
      steps('Then, for all', 'rstd = 1 / √(variance + epsilon)\ny = (x − mean)·rstd'),
      prose(
        'This package',
        'Sums about a shift near the mean, in blocks of 64 that are added up in float64; the mean is kept in two numbers. Rows whose squares leave the range are scaled by a power of two first.',
      ),
      prose(
        'Reference',
        'Two passes in pairs of float64, about 30 digits, scaled by a power of two where squares would overflow.',
      ),
    ),
  );
}

function spacingText(value: number, type: 'float32' | 'float64'): string {
  return significant(
    2 ** (Math.floor(Math.log2(Math.max(value, Number.MIN_VALUE))) - TYPES[type].mantissaBits),
    2,
  );
}

export const open: OpenView = (root, state) => new StabilityLab(root, state);
