// The weights of a layer, one column each, on their way to hidden ones.

import { scaleLinear } from 'd3-scale';
import { el } from '../ui/dom.js';
import { significant } from '../ui/format.js';
import { frame, onWidth, svg } from '../ui/plot.js';

const HEIGHT = 210;
const MARGIN = { top: 10, right: 8, bottom: 40, left: 36 };
/** A number of a weight under its column takes so many pixels. */
const NUMBER_WIDTH = 36;

export interface WeightsChartOptions {
  readonly title: string;
  /** Where weights start, and what is drawn. */
  readonly start: number;
  readonly domain: readonly [number, number];
}

export class WeightsChart {
  readonly element: HTMLElement;
  readonly #options: WeightsChartOptions;
  readonly #plot = el('div');
  readonly #note = el('p', { class: 'hint' });
  #shown: { values: readonly number[] | undefined; hidden: readonly number[] } | undefined;

  constructor(options: WeightsChartOptions) {
    this.#options = options;
    this.element = el('div', {}, el('p', { class: 'pane-title' }, options.title), this.#plot, this.#note);
    onWidth(this.#plot, () => this.#draw());
  }

  /** @param values - undefined where the layer has no such weights */
  show(values: readonly number[] | undefined, hidden: readonly number[], note: string): void {
    this.#shown = { values, hidden };
    this.#note.textContent = values ? '' : note;
    this.#draw();
  }

  #draw(): void {
    const width = this.#plot.clientWidth;
    if (!this.#shown || width === 0) return;
    const { values, hidden } = this.#shown;
    const { start, domain } = this.#options;
    const x = scaleLinear([0.5, hidden.length + 0.5], []);
    const y = scaleLinear(domain, []).clamp(true);
    const { root, marks } = frame({ width, height: HEIGHT, margin: MARGIN, x, y, xTicks: 0, yTicks: 5 });
    const hasNumbers = x(2) - x(1) >= NUMBER_WIDTH;
    marks.append(
      svg('line', { class: 'start', x1: x(0.5), x2: x(hidden.length + 0.5), y1: y(start), y2: y(start) }),
    );
    hidden.forEach((goal, i) => {
      const at = x(i + 1);
      const value = values?.[i];
      const bottom = HEIGHT - MARGIN.bottom;
      marks.append(
        svg('text', { x: at, y: bottom + 15, 'text-anchor': 'middle' }, String(i + 1)),
        svg('circle', { class: 'goal', cx: at, cy: y(goal), r: 7 }),
      );
      if (value === undefined || !Number.isFinite(value)) return;
      marks.append(
        svg('line', { class: 'stem', x1: at, x2: at, y1: y(start), y2: y(value) }),
        svg('circle', { class: 'now', cx: at, cy: y(value), r: 4.5 }),
      );
      if (!hasNumbers) return;
      const text = significant(Number(value.toFixed(2)), 3);
      marks.append(svg('text', { class: 'value', x: at, y: bottom + 31, 'text-anchor': 'middle' }, text));
    });
    this.#plot.replaceChildren(root);
  }
}
