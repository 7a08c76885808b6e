// The first elements of y by each formula, over the truth: what is right hides it, what is garbage does not.

import { el } from '../ui/dom.js';
import { significant } from '../ui/format.js';
import { svg } from '../ui/plot.js';
import type { FormulaResult, Outcome } from './protocol.js';
import { mark } from './series.js';
import { titleOf } from './words.js';

const LANE = 92;
/** Above the values of a lane there is its title. */
const TITLE = 20;
const MARGIN = 10;
/** Of an element, at least. */
const STEP = 10;

export function strip(outcome: Outcome, width: number): SVGSVGElement {
  const { results, settings, truth } = outcome;
  const count = Math.min(truth.y.length, Math.max(4, Math.floor((width - 2 * MARGIN) / STEP)));
  const step = (width - 2 * MARGIN) / count;
  const reach = 1.15 * reachOf(truth.y.subarray(0, count));
  const root = svg('svg', {
    class: 'plot strip-plot',
    width,
    height: LANE * results.length,
    viewBox: `0 0 ${width} ${LANE * results.length}`,
    'aria-hidden': 'true',
  });
  results.forEach((result, lane) => {
    const top = lane * LANE + TITLE;
    const bottom = (lane + 1) * LANE - 6;
    const middle = (top + bottom) / 2;
    const xOf = (i: number): number => MARGIN + (i + 0.5) * step;
    const yOf = (value: number): number => middle - (value / reach) * ((bottom - top) / 2 - 4);
    root.append(
      svg('rect', { class: 'lane', x: 0, y: top, width, height: bottom - top, rx: 4 }),
      svg('line', { class: 'plot-grid', x1: MARGIN, x2: width - MARGIN, y1: middle, y2: middle }),
      svg('text', { class: 'lane-title', x: 0, y: top - 6 }, titleOf(result.name, settings.type)),
    );
    const line = Array.from(truth.y.subarray(0, count), (value, i) =>
      Number.isFinite(value) ? `${xOf(i).toFixed(1)} ${yOf(value).toFixed(1)}` : '',
    ).filter(Boolean);
    if (line.length > 1) root.append(svg('path', { class: 'truth-line', d: `M${line.join('L')}` }));
    for (const text of line) {
      const [x, y] = text.split(' ');
      root.append(svg('circle', { class: 'truth-ring', cx: x, cy: y, r: 4.5 }));
    }
    let [beyond, missing] = [0, 0];
    for (let i = 0; i < count; i++) {
      const value = result.y[i] as number;
      const x = xOf(i);
      if (!Number.isFinite(value)) {
        missing++;
        root.append(svg('path', { class: 'not-a-number', d: `M${x - 3} ${middle - 3}l6 6m0 -6l-6 6` }));
      } else if (Math.abs(value) > reach) {
        beyond++;
        const [edge, tip] = value > 0 ? [top + 8, top + 1] : [bottom - 8, bottom - 1];
        root.append(
          svg('path', {
            class: `mark mark-${result.name}`,
            d: `M${x - 4} ${edge}L${x} ${tip}L${x + 4} ${edge}Z`,
          }),
        );
      } else root.append(mark(result.name, x, yOf(value), 20));
    }
    const said = [beyond ? `${beyond} beyond the picture` : '', missing ? `${missing} NaN or ∞` : ''];
    root.append(svg('text', { x: width, y: top - 6, 'text-anchor': 'end' }, said.filter(Boolean).join(', ')));
  });
  return root;
}

function reachOf(values: Float64Array): number {
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Number.isFinite(most) && most > 0 ? most : 1;
}

/** The same in numbers, input included. */
export function stripTable({ x, truth, results, settings }: Outcome): HTMLElement {
  const head = ['x', 'Reference', ...results.map(({ name }) => titleOf(name, settings.type))];
  const columns = [x, truth.y, ...results.map(({ y }: FormulaResult) => y)];
  return el(
    'table',
    {},
    el('caption', {}, x.length === settings.length ? 'All elements' : `The first ${x.length} elements`),
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        el('th', { scope: 'col' }, 'Element'),
        ...head.map((title) => el('th', { scope: 'col' }, title)),
      ),
    ),
    el(
      'tbody',
      {},
      ...Array.from(x, (_, i) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, String(i)),
          ...columns.map((column) => el('td', {}, significant(column[i] as number, 6))),
        ),
      ),
    ),
  );
}
