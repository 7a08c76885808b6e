// What a normalization takes out of the gradient that comes back to one sample.

import { scaleLinear } from 'd3-scale';
import type { State } from '../app/view.js';
import { debounce, el, showError } from '../ui/dom.js';
import { columnFormat, significant } from '../ui/format.js';
import { NumberSlider } from '../ui/number_slider.js';
import { frame, onWidth, svg } from '../ui/plot.js';
import type { WorkClient, WorkError } from '../worker/client.js';
import type { Gradients, NormName, Progress, Requests, Sample } from './protocol.js';
import { dot, referenceGradient } from './reference.js';
import { DEFAULT_SAMPLE, LIMITS, readSample, writtenSample } from './settings.js';

type Client = WorkClient<Requests, Progress>;
type Values = 'x' | 'dy' | 'gamma';

const HEIGHT = 190;
const MARGIN = { top: 10, right: 6, bottom: 24, left: 34 };
const ANNOUNCE_MS = 700;

/** The panels from left to right: the equation that they are. */
const PARTS = ['g', 'alongOnes', 'alongHat', 'left'] as const;
type Part = (typeof PARTS)[number];

const TITLES: Record<Part, [string, string]> = {
  g: ['g = γ · dy', 'what comes back from above'],
  alongOnes: ['− mean(g)', 'its part along (1, …, 1)'],
  alongHat: ['− x̂ · mean(g · x̂)', 'its part along x̂'],
  left: ['= dx / rstd', 'what is left'],
};

export class GradientView {
  readonly element: HTMLElement;
  readonly #client: Client;
  readonly #state: State;
  #sample: Sample = DEFAULT_SAMPLE;
  #gradients: Gradients | undefined;
  #asked = 0;

  readonly #sliders: Record<Values, NumberSlider[]>;
  readonly #epsilon: NumberSlider;
  readonly #norms = new Map<NormName, HTMLInputElement>();
  readonly #plots = new Map<Part, HTMLElement>();
  readonly #shares = new Map<Part, HTMLElement>();
  readonly #facts = new Map<string, [HTMLElement, HTMLElement]>();
  readonly #error = el('p', { class: 'notice error', role: 'alert', hidden: true });
  readonly #summary = el('p', { class: 'summary', id: 'gradient-summary' });
  readonly #caption = el('figcaption');
  readonly #table = el('table', { id: 'gradient-table' });
  readonly #announcer = el('p', {
    class: 'visually-hidden',
    'aria-live': 'polite',
    id: 'gradient-announcer',
  });

  constructor(client: Client, state: State) {
    this.#client = client;
    this.#state = state;
    const sliders = (name: Values, letter: string) =>
      DEFAULT_SAMPLE[name].map(
        (value, i) =>
          new NumberSlider({
            id: `gradient-${name}-${i + 1}`,
            label: `${letter} ${i + 1}`,
            min: LIMITS[name][0],
            max: LIMITS[name][1],
            step: 0.1,
            value,
            onChange: (chosen) => this.#choose({ [name]: replaced(this.#sample[name], i, chosen) }),
          }),
      );
    this.#sliders = { x: sliders('x', 'x'), dy: sliders('dy', 'dy'), gamma: sliders('gamma', 'γ') };
    this.#epsilon = new NumberSlider({
      id: 'gradient-epsilon',
      label: 'Epsilon',
      min: LIMITS.epsilon[0],
      max: LIMITS.epsilon[1],
      step: 1,
      isLogarithmic: true,
      value: DEFAULT_SAMPLE.epsilon,
      valueText: (value) => significant(value),
      onChange: (epsilon) => this.#choose({ epsilon }),
    });
    this.element = el('div', { class: 'with-controls gradients' }, this.#controls(), this.#results());
    for (const form of this.element.querySelectorAll('form')) {
      form.addEventListener('submit', (event) => event.preventDefault());
    }
  }

  #controls(): HTMLElement {
    const norms = (['layer', 'rms'] as const).map((norm) => {
      const radio = el('input', { type: 'radio', name: 'gradient-norm', value: norm });
      radio.addEventListener('change', () => this.#choose({ norm }));
      this.#norms.set(norm, radio);
      return el('label', {}, radio, el('span', {}, norm === 'layer' ? 'Layer norm' : 'RMS norm'));
    });
    const preset = (id: string, text: string, sample: () => Partial<Sample>) => {
      const button = el('button', { class: 'chip-button', type: 'button', id: `gradient-${id}` }, text);
      button.addEventListener('click', () => this.#take(sample()));
      return button;
    };
    const ones = DEFAULT_SAMPLE.gamma;
    const random = (limit: number) => ones.map(() => Math.round(20 * limit * (Math.random() - 0.5)) / 10);
    const group = (name: Values, legend: string) =>
      el(
        'fieldset',
        { class: 'field element-sliders' },
        el('legend', {}, legend),
        ...this.#sliders[name].map(({ element }) => element),
      );
    return el(
      'div',
      { class: 'controls' },
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'gradient-settings-title' },
        el('h3', { id: 'gradient-settings-title' }, 'One sample'),
        el(
          'form',
          {},
          el(
            'fieldset',
            { class: 'field', 'aria-label': 'Method' },
            el('div', { class: 'segmented' }, ...norms),
          ),
          el(
            'fieldset',
            { class: 'field' },
            el('legend', {}, 'Try'),
            el(
              'div',
              { class: 'presets' },
              preset('ones', 'dy = 1, …, 1', () => ({ dy: ones, gamma: ones })),
              preset('hat', 'dy = x̂', () => ({ dy: this.#hat(), gamma: ones })),
              preset('single', 'dy = 1 in one place', () => ({
                dy: ones.map((_, i) => (i === 3 ? 1 : 0)),
                gamma: ones,
              })),
              preset('random', 'Random', () => ({ dy: random(2), x: random(3) })),
              preset('first', 'As at first', () => DEFAULT_SAMPLE),
            ),
          ),
          group('dy', 'Gradient dy that comes from above'),
          group('x', 'Input x'),
          el(
            'details',
            { class: 'field more' },
            el('summary', {}, 'γ and epsilon'),
            group('gamma', 'Factor γ'),
            el('div', { class: 'field' }, this.#epsilon.element),
          ),
        ),
      ),
    );
  }

  #results(): HTMLElement {
    const parts = PARTS.map((part) => {
      const [plot, share] = [
        el('div', { class: 'part-plot' }),
        el('p', { class: 'part-share', id: `gradient-share-${part}` }),
      ];
      this.#plots.set(part, plot);
      this.#shares.set(part, share);
      onWidth(plot, () => this.#drawPart(part));
      const [title, text] = TITLES[part];
      return el(
        'div',
        { class: 'part' },
        el('p', { class: 'pane-title' }, title),
        el('p', { class: 'hint' }, text),
        plot,
        share,
      );
    });
    const fact = (key: string, term: string) => {
      const [value, detail] = [
        el('dd', { id: `gradient-${key}` }, '…'),
        el('dd', { class: 'detail' }, '\u00a0'),
      ];
      this.#facts.set(key, [value, detail]);
      return el('div', {}, el('dt', {}, term), value, detail);
    };
    this.#plots.get('g')?.classList.add('can-drag');
    this.#drag(this.#plots.get('g') as HTMLElement);
    return el(
      'div',
      { class: 'results' },
      this.#error,
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'gradient-title' },
        el('h3', { id: 'gradient-title' }, 'The gradient, part by part'),
        this.#summary,
        el('figure', {}, this.#caption, el('div', { class: 'parts' }, ...parts)),
        el(
          'details',
          { class: 'as-table', id: 'gradient-details' },
          el('summary', {}, 'The parts as a table'),
          el(
            'section',
            { class: 'table-scroll', tabindex: 0, 'aria-label': 'The parts of the gradient' },
            this.#table,
          ),
        ),
      ),
      el(
        'section',
        { class: 'engine', 'aria-label': 'What is left, in numbers' },
        el(
          'dl',
          {},
          fact('dot-ones', 'dx · (1, …, 1)'),
          fact('dot-hat', 'dx · x̂'),
          fact('rstd', 'rstd'),
          fact('error', 'Largest error of dx'),
        ),
      ),
      this.#announcer,
    );
  }

  restore(): void {
    this.#sample = readSample(this.#state);
    this.#showSample();
    void this.#ask();
  }

  /** The bars of g are dy times gamma. */
  #drag(plot: HTMLElement): void {
    let element: number | undefined;
    const move = ({ clientX, clientY }: PointerEvent, isFirst: boolean) => {
      const root = plot.querySelector('svg');
      const [x, y] = this.#scales('g');
      if (!root) return;
      const { left, top } = root.getBoundingClientRect();
      const n = this.#sample.dy.length;
      if (isFirst) element = Math.min(n, Math.max(1, Math.round(x.invert(clientX - left)))) - 1;
      if (element === undefined) return;
      const gamma = this.#sample.gamma[element] as number;
      if (gamma === 0) return;
      const [least, most] = LIMITS.dy;
      const dy = Math.round((10 * y.invert(clientY - top)) / gamma) / 10;
      this.#take({ dy: replaced(this.#sample.dy, element, Math.min(most, Math.max(least, dy))) });
    };
    plot.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      plot.setPointerCapture(event.pointerId);
      move(event, true);
    });
    plot.addEventListener('pointermove', (event) => {
      if (plot.hasPointerCapture(event.pointerId)) move(event, false);
    });
  }

  /** x hat, in digits that one can read. */
  #hat(): readonly number[] {
    return this.#gradients?.hat.map((value) => Number(value.toPrecision(6))) ?? DEFAULT_SAMPLE.dy;
  }

  #choose(chosen: Partial<Sample>): void {
    this.#sample = { ...this.#sample, ...chosen };
    this.#state.set(writtenSample(this.#sample));
    void this.#ask();
  }

  #take(sample: Partial<Sample>): void {
    this.#choose(sample);
    this.#showSample();
  }

  #showSample(): void {
    const { norm, epsilon } = this.#sample;
    for (const [name, radio] of this.#norms) radio.checked = name === norm;
    this.#epsilon.value = epsilon;
    for (const name of ['x', 'dy', 'gamma'] as const) {
      this.#sliders[name].forEach((slider, i) => {
        slider.value = this.#sample[name][i] as number;
      });
    }
  }

  async #ask(): Promise<void> {
    const [asked, sample] = [++this.#asked, this.#sample];
    try {
      const gradients = await this.#client.request('gradients', sample);
      if (asked !== this.#asked) return;
      this.#gradients = gradients;
      showError(this.#error, undefined);
      this.#draw(sample, gradients);
    } catch (error) {
      if (asked === this.#asked) showError(this.#error, error as WorkError);
    }
  }

  #draw(sample: Sample, gradients: Gradients): void {
    const { hat, rstd, g, dx } = gradients;
    for (const part of PARTS) this.#drawPart(part);
    const square = (values: readonly number[]) => dot(values, values);
    const whole = square(g);
    const percent = (part: Part) => (whole > 0 ? (100 * square(gradients[part])) / whole : 0);
    const text = (part: Part) => `${columnFormat(100, 3)(percent(part))} %`;
    for (const part of PARTS) {
      const note = part === 'g' ? `length ${significant(Math.sqrt(whole), 3)}` : `${text(part)} of |g|²`;
      (this.#shares.get(part) as HTMLElement).textContent = note;
    }
    const isLayer = sample.norm === 'layer';
    this.#summary.textContent =
      whole === 0
        ? 'Nothing comes from above, so nothing is passed on.'
        : isLayer
          ? `Layer norm takes out ${text('alongOnes')} of the gradient’s squared length along (1, …, 1) and ${text('alongHat')} along x̂; ${text('left')} is left.`
          : `RMS norm takes out ${text('alongHat')} of the gradient’s squared length along x̂ and nothing else; ${text('left')} is left.`;
    this.#caption.textContent =
      `dx = rstd · (g − ${isLayer ? 'mean(g) − ' : ''}x̂ · mean(g · x̂)), one bar an element, all on one scale. ` +
      'Drag the bars of g, or use the sliders.';
    const error = Math.max(
      ...referenceGradient(sample).map((value, i) => Math.abs(value - (dx[i] as number))),
    );
    const ones = dx.map(() => 1);
    this.#setFact(
      'dot-ones',
      significant(dot(dx, ones), 2),
      isLayer ? 'to shift x changes nothing' : 'RMS norm leaves this part in',
    );
    this.#setFact('dot-hat', significant(dot(dx, hat), 2), 'to stretch x changes nothing, but for ε');
    this.#setFact('rstd', significant(rstd, 5), isLayer ? '1 / √(σ² + ε)' : '1 / √(mean(x²) + ε)');
    this.#setFact('error', significant(error, 2), 'float32, against float64');
    this.#fillTable(sample, gradients);
    this.#announce(this.#summary.textContent);
  }

  #setFact(key: string, value: string, detail: string): void {
    const fact = this.#facts.get(key);
    if (!fact) return;
    fact[0].textContent = value;
    fact[1].textContent = detail;
  }

  #scales(part: Part) {
    const n = this.#sample.x.length;
    const all = PARTS.flatMap((name) => this.#gradients?.[name] ?? []);
    const reach = Math.max(1, ...all.map(Math.abs));
    const width = this.#plots.get(part)?.clientWidth ?? 0;
    return [
      scaleLinear([0.5, n + 0.5], [MARGIN.left, width - MARGIN.right]),
      scaleLinear([-reach, reach], [HEIGHT - MARGIN.bottom, MARGIN.top]),
    ] as const;
  }

  #drawPart(part: Part): void {
    const plot = this.#plots.get(part);
    const values = this.#gradients?.[part];
    const width = plot?.clientWidth ?? 0;
    if (!plot || !values || width === 0) return;
    const [x, y] = this.#scales(part);
    const { root, marks } = frame({ width, height: HEIGHT, margin: MARGIN, x, y, xTicks: 0, yTicks: 4 });
    const [zero, bar] = [y(0), Math.max(4, (x(2) - x(1)) * 0.62)];
    values.forEach((value, i) => {
      const [at, end] = [x(i + 1), y(value)];
      marks.append(
        svg('rect', {
          class: `bar series-${PARTS.indexOf(part) + 1}`,
          x: at - bar / 2,
          width: bar,
          y: Math.min(zero, end),
          height: Math.abs(end - zero),
        }),
        svg('text', { x: at, y: HEIGHT - 8, 'text-anchor': 'middle' }, String(i + 1)),
      );
    });
    marks.append(svg('line', { class: 'plot-base', x1: x.range()[0], x2: x.range()[1], y1: zero, y2: zero }));
    plot.replaceChildren(root);
  }

  #fillTable(sample: Sample, gradients: Gradients): void {
    const { hat, g, alongOnes, alongHat, left, dx } = gradients;
    const reference = referenceGradient(sample);
    const columns: [string, readonly number[]][] = [
      ['x', sample.x],
      ['x̂', hat],
      ['dy', sample.dy],
      ['γ', sample.gamma],
      ['g', g],
      ['along 1', alongOnes],
      ['along x̂', alongHat],
      ['dx / rstd', left],
      ['dx', dx],
      ['dx, float64', reference],
    ];
    this.#table.replaceChildren(
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...['element', ...columns.map(([name]) => name)].map((name) => el('th', { scope: 'col' }, name)),
        ),
      ),
      el(
        'tbody',
        {},
        ...sample.x.map((_, i) =>
          el(
            'tr',
            {},
            el('th', { scope: 'row' }, String(i + 1)),
            ...columns.map(([, values]) => el('td', {}, significant(values[i] as number, 5))),
          ),
        ),
      ),
    );
  }

  readonly #announce = debounce(ANNOUNCE_MS, (sentence: string) => {
    this.#announcer.textContent = sentence;
  });
}

function replaced(values: readonly number[], at: number, value: number): number[] {
  return values.map((old, i) => (i === at ? value : old));
}
