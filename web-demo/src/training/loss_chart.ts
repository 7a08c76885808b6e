// The losses as they fall, on a logarithmic axis.

import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { significant, whole } from '../ui/format.js';
import { frame, onWidth, svg } from '../ui/plot.js';
import type { Progress } from './protocol.js';

const HEIGHT = 260;
const MARGIN = { top: 12, right: 14, bottom: 38, left: 62 };
/** How far curves stay above the axis, in powers of ten. */
const CLEARANCE = 0.1;
/** Before there is any loss: powers of ten, and steps. */
const [FIRST_POWERS, FEWEST_STEPS] = [[-2, 1] as const, 50];

/** The step that the i-th mean over `every` steps is drawn at: the middle of them. */
export const middle = (i: number, every: number): number => i * every + (every + 1) / 2;

export class LossChart {
  readonly #element: HTMLElement;
  #shown: { progress: Progress; lowest: number | undefined } | undefined;

  constructor(element: HTMLElement) {
    this.#element = element;
    onWidth(element, () => this.#draw());
  }

  show(progress: Progress, lowest: number | undefined): void {
    this.#shown = { progress, lowest };
    this.#draw();
  }

  #draw(): void {
    const width = this.#element.clientWidth;
    if (!this.#shown || width === 0) return;
    const { progress, lowest } = this.#shown;
    const { every, learners, steps } = progress;
    const isDrawn = (loss: number | undefined): loss is number =>
      Number.isFinite(loss) && (loss as number) > 0;
    const all = learners.flatMap(({ losses }) => [...losses].filter(isDrawn));
    if (lowest !== undefined) all.push(lowest);
    const powers = all.map(Math.log10);
    const hasLosses = steps > 0 && powers.length > 0;
    const low = hasLosses ? Math.floor(Math.min(...powers) - CLEARANCE) : FIRST_POWERS[0];
    const high = hasLosses ? Math.max(low + 1, Math.ceil(Math.max(...powers))) : FIRST_POWERS[1];
    // Linear in the power of ten: there are ticks at whole powers.
    const x = scaleLinear([0, Math.max(FEWEST_STEPS, steps)], []);
    const y = scaleLinear([low, high], []);
    const { root, marks } = frame({
      width,
      height: HEIGHT,
      margin: MARGIN,
      x,
      y,
      xLabel: 'step',
      yLabel: 'loss',
      yTicks: high - low,
      formatX: whole,
      formatY: (power) => significant(10 ** power, 1),
    });
    if (lowest !== undefined) {
      const at = y(Math.log10(lowest));
      marks.append(svg('line', { class: 'lowest', x1: x(0), x2: width - MARGIN.right, y1: at, y2: at }));
    }
    learners.forEach(({ losses }, i) => {
      const path = line<number>()
        .defined(isDrawn)
        .x((_, at) => x(middle(at, every)))
        .y((loss) => y(Math.log10(loss)))(losses);
      marks.append(svg('path', { class: `curve series-${i + 1}`, d: path ?? '' }));
      const last = losses.at(-1);
      if (isDrawn(last)) {
        marks.append(
          svg('circle', {
            class: `tip series-${i + 1}`,
            cx: x(middle(losses.length - 1, every)),
            cy: y(Math.log10(last)),
            r: 3.5,
          }),
        );
      }
    });
    if (steps === 0) {
      const [centre, at] = [(x(0) + width - MARGIN.right) / 2, HEIGHT / 2 - 12];
      marks.append(svg('text', { x: centre, y: at, 'text-anchor': 'middle' }, 'Press Play or Step'));
    }
    this.#element.replaceChildren(root);
  }
}
