// The error of each formula over the constant that is added, both on logarithmic scales. Results that are no numbers stand in a
// lane above all errors.

import { scaleLinear, scaleLog } from 'd3-scale';
import { el } from '../ui/dom.js';
import { whole } from '../ui/format.js';
import { frame, svg } from '../ui/plot.js';
import type { FormulaName, SweepPoint } from './protocol.js';
import { linePath, mark } from './series.js';
import { positionOf, type Settings, sweepOffsets } from './settings.js';
import { TYPES } from './types.js';
import { allDigitsOf, chosenText, DIGIT, powerText, titleOf, ulpText } from './words.js';

const HEIGHT = 330;
const MARGIN = { top: 62, right: 14, bottom: 40, left: 54 };
/** The lane of what is no number: where it starts and ends. */
const LANE = { top: 22, bottom: 54 };
/** Smaller errors stand at the lower edge. */
const LEAST = 0.1;

export interface ChartOptions {
  readonly width: number;
  readonly settings: Settings;
  readonly points: readonly SweepPoint[];
  readonly names: readonly FormulaName[];
  /** Called with the constant that was clicked at. */
  readonly onPick: (offset: number) => void;
}

export function chart({ width, settings, points, names, onPick }: ChartOptions): SVGSVGElement {
  const { type } = settings;
  const offsets = sweepOffsets(type);
  const most = positionOf(offsets.at(-1) as number, type);
  const allLost = allDigitsOf(type);
  const largest = points.reduce(
    (so, { ulp }) => Math.max(so, ...Object.values(ulp).filter(Number.isFinite)),
    2 ** TYPES[type].mantissaBits,
  );
  const decades = Math.ceil(Math.log10(largest)) + 1;
  const x = scaleLinear().domain([positionOf(0, type), most]);
  const y = scaleLog().domain([LEAST, LEAST * 10 ** decades]);
  const { root, marks } = frame({
    width,
    height: HEIGHT,
    margin: MARGIN,
    x,
    y,
    xLabel: 'Constant added',
    yLabel: 'Largest error, ulp',
    yTicks: Math.min(8, decades - 1),
    formatX: (value) => (value < 0 ? '0' : Number.isInteger(value) ? powerText(value) : ''),
    formatY: (value) => (value >= 10 ? powerText(Math.round(Math.log10(value))) : String(value)),
  });
  const [left, right] = x.range() as [number, number];
  const bottom = y(LEAST);
  marks.append(
    svg('rect', { class: 'lane', x: left, y: LANE.top, width: right - left, height: LANE.bottom - LANE.top }),
    svg(
      'text',
      { x: left - 6, y: (LANE.top + LANE.bottom) / 2, dy: '0.32em', 'text-anchor': 'end' },
      'NaN, ∞',
    ),
    svg('rect', { class: 'few-ulp', x: left, y: y(DIGIT), width: right - left, height: bottom - y(DIGIT) }),
    svg('line', { class: 'all-lost', x1: left, x2: right, y1: y(allLost), y2: y(allLost) }),
  );
  // In front of all lines.
  const labels = [
    svg('text', { x: right - 4, y: y(DIGIT) + 14, 'text-anchor': 'end' }, 'right'),
    svg('text', { x: right - 4, y: y(allLost) - 5, 'text-anchor': 'end' }, 'all digits lost'),
  ];
  const constant = points.length - [...points].reverse().findIndex(({ distinct }) => distinct > 1);
  if (constant < points.length) {
    // Rounding has made it so. A row that was constant from the start has no such place.
    const at = x(positionOf((points[constant] as SweepPoint).offset, type));
    marks.append(svg('line', { class: 'constant-from', x1: at, x2: at, y1: LANE.bottom, y2: bottom }));
    labels.push(svg('text', { x: at + 5, y: bottom - 9 }, '→ all elements equal'));
  }
  if (type !== 'float16') {
    const at = x(positionOf(0, type));
    marks.append(
      svg('line', { class: 'plot-tick', x1: at, x2: at, y1: bottom, y2: bottom + 4 }),
      svg('text', { x: at, y: bottom + 16, 'text-anchor': 'middle' }, '0'),
    );
  }
  marks.append(
    hereMark(x(Math.min(most, positionOf(settings.offset, type))), bottom, settings.offset, width),
  );

  const room = (LANE.bottom - LANE.top) / (names.length + 1);
  // The kernel's on top of the others.
  for (const [i, name] of [...names.entries()].reverse()) {
    const places = points.flatMap(({ offset, ulp }) => {
      const error = ulp[name];
      if (error === undefined) return [];
      const height = Number.isFinite(error) ? y(Math.max(error, LEAST)) : LANE.top + room * (i + 1);
      return [[x(positionOf(offset, type)), height] as const];
    });
    if (places.length === 0) continue;
    const d = places.map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join('L');
    marks.append(linePath(name, `M${d}`), ...places.map(([px, py]) => mark(name, px, py)));
  }
  marks.append(svg('g', { class: 'labels' }, ...labels));
  root.addEventListener('click', (event) => {
    const at = x.invert(event.clientX - root.getBoundingClientRect().left);
    const distance = (offset: number): number => Math.abs(positionOf(offset, type) - at);
    onPick(offsets.reduce((best, offset) => (distance(offset) < distance(best) ? offset : best)));
  });
  return root;
}

/** Where the constant that is chosen stands. */
function hereMark(at: number, bottom: number, offset: number, width: number): SVGGElement {
  const text = offset === 0 ? 'no constant' : chosenText(offset);
  const anchor = at > width - 60 ? 'end' : at < MARGIN.left + 40 ? 'start' : 'middle';
  return svg(
    'g',
    { class: 'here' },
    svg('line', { x1: at, x2: at, y1: LANE.top - 4, y2: bottom }),
    svg('text', { x: at, y: LANE.top - 9, 'text-anchor': anchor }, text),
  );
}

/** The same in numbers. */
export function chartTable(
  { type, offset: chosen }: Settings,
  points: readonly SweepPoint[],
  names: readonly FormulaName[],
): HTMLElement {
  return el(
    'table',
    {},
    el('caption', {}, 'Largest error in ulp, by the constant that is added'),
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        el('th', { scope: 'col' }, 'Constant'),
        el('th', { scope: 'col' }, 'Different numbers'),
        ...names.map((name) => el('th', { scope: 'col' }, titleOf(name, type))),
      ),
    ),
    el(
      'tbody',
      {},
      ...points.map(({ offset, distinct, ulp }) =>
        el(
          'tr',
          { class: offset === chosen ? 'chosen' : undefined },
          el('th', { scope: 'row' }, offset === 0 ? 'none' : chosenText(offset)),
          el('td', {}, whole(distinct)),
          ...names.map((name) => el('td', {}, ulpText(ulp[name]))),
        ),
      ),
    ),
  );
}
