// The histograms as SVG: of one group, with its mean and standard deviation, and of several below each other.

import { scaleLinear } from 'd3-scale';
import { significant, whole } from '../../ui/format.js';
import { frame, svg } from '../../ui/plot.js';
import { near } from '../sample_panel.js';
import type { Distribution } from './distribution.js';

export type Side = 'before' | 'after';

const HEIGHT = 208;
const MARGIN = { top: 46, right: 10, bottom: 24, left: 44 };
/** Of the labels above the bars: that of the mean, that of the standard deviation, and the bracket of the latter. */
const [MEAN_Y, STD_Y, BRACKET_Y] = [11, 26, 35];
/** Half of what a label takes, about. */
const LABEL_REACH = 48;

/** One row of several. */
const ROW = 30;
const ROWS_MARGIN = { top: 4, right: 8, bottom: 24 };
/** Width of a character of a row's label. */
const CHARACTER = 7;

/** The histogram of one group. */
export function oneFigure(side: Side, one: Distribution, width: number): SVGSVGElement {
  const { bins, counts, values, mean, std } = one;
  const x = scaleLinear(domainOf([one]), []);
  const most = Math.max(1, ...counts);
  const y = scaleLinear([0, most], []).nice();
  const { root, marks } = frame({
    width,
    height: HEIGHT,
    margin: MARGIN,
    x,
    y,
    xTicks: 7,
    yTicks: Math.min(4, most),
    formatY: (value) => (Number.isInteger(value) ? whole(value) : ''),
  });
  root.classList.add(`distribution-${side}`);
  const [top, bottom] = [MARGIN.top, HEIGHT - MARGIN.bottom];
  if (bins.count === 0) {
    const text = { x: width / 2, y: (top + bottom) / 2, 'text-anchor': 'middle' };
    marks.append(svg('text', text, 'No finite element'));
    return root;
  }
  const hasMean = Number.isFinite(mean);
  const hasStd = hasMean && Number.isFinite(std);
  if (hasStd) marks.append(band(x(mean - std), x(mean + std), top, bottom));
  marks.append(bars(one, x, (n) => y(n), bottom));
  if (values) marks.append(dots(values, x, bottom));
  if (!hasMean) return root;
  marks.append(meanLine(x(mean), BRACKET_Y, bottom));
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const at = Math.min(Math.max(x(mean), left + LABEL_REACH), right - LABEL_REACH);
  const label = (y: number, text: string) =>
    svg('text', { x: at, y, 'text-anchor': 'middle', class: 'distribution-label' }, text);
  marks.append(label(MEAN_Y, `mean ${near(mean, std)}`));
  if (hasStd) {
    marks.append(label(STD_Y, `± std ${significant(std)}`));
    marks.append(bracket(x(mean - std), x(mean + std), BRACKET_Y));
  }
  return root;
}

/** Histograms below each other, on one axis. */
export function rowsFigure(
  side: Side,
  rows: readonly Distribution[],
  labels: readonly string[],
  focused: number,
  width: number,
): SVGSVGElement {
  const longest = Math.max(...labels.map(({ length }) => length));
  const left = Math.min(longest * CHARACTER + 12, width * 0.4);
  const margin = { ...ROWS_MARGIN, left };
  const height = margin.top + rows.length * ROW + margin.bottom;
  const x = scaleLinear(domainOf(rows), []);
  const y = scaleLinear([rows.length, 0], []);
  const { root, marks } = frame({ width, height, margin, x, y, xTicks: 6, yTicks: 0 });
  root.classList.add(`distribution-${side}`);
  // One scale for all: equal heights are equally many elements.
  const most = Math.max(1, ...rows.flatMap(({ counts }) => counts));
  const letters = Math.floor((left - 8) / CHARACTER);
  rows.forEach((row, r) => {
    const [top, bottom] = [margin.top + r * ROW, margin.top + (r + 1) * ROW];
    const { mean, std } = row;
    const group = svg('g', { class: r === focused ? 'distribution-row focused' : 'distribution-row' });
    group.append(
      svg('rect', { class: 'distribution-row-back', x: 0, y: top, width, height: ROW }),
      svg('line', { class: 'plot-grid', x1: left, x2: width - margin.right, y1: bottom, y2: bottom }),
    );
    const label = labels[r] as string;
    const shown = label.length > letters ? `${label.slice(0, letters - 1)}…` : label;
    group.append(svg('text', { x: 4, y: (top + bottom) / 2, dy: '0.32em' }, shown));
    if (Number.isFinite(mean) && Number.isFinite(std)) {
      group.append(band(x(mean - std), x(mean + std), top + 2, bottom));
    }
    const heightOf = (n: number) => bottom - (n / most) * (ROW - 5);
    group.append(bars(row, x, heightOf, bottom));
    if (row.values) group.append(dots(row.values, x, bottom));
    if (Number.isFinite(mean)) group.append(meanLine(x(mean), top + 1, bottom));
    marks.append(group);
  });
  return root;
}

/** All bins, and what is marked. */
function domainOf(distributions: readonly Distribution[]): [number, number] {
  const ends = distributions.flatMap(({ bins: { low, high }, mean, std }) => [
    low,
    high,
    mean - std,
    mean + std,
  ]);
  const finite = ends.filter(Number.isFinite);
  return [Math.min(...finite), Math.max(...finite)];
}

/** One path for all bars, with a gap between two where there is room for one. */
function bars(
  { bins: { low, high, count }, counts, values }: Distribution,
  x: (value: number) => number,
  y: (count: number) => number,
  bottom: number,
): SVGPathElement {
  const at = (bin: number) => x(low + ((high - low) * bin) / count);
  const gap = at(1) - at(0) > 4 ? 0.5 : 0;
  const path = counts.map((n, bin) =>
    n === 0
      ? ''
      : `M${pixel(at(bin) + gap)},${pixel(bottom)}V${pixel(y(n))}H${pixel(at(bin + 1) - gap)}V${pixel(bottom)}Z`,
  );
  // Elements that are drawn one by one stand before paler bars.
  return svg('path', { class: `distribution-bars${values ? ' few' : ''}`, d: path.join('') });
}

function band(from: number, to: number, top: number, bottom: number): SVGRectElement {
  const size = { width: Math.max(0, to - from), height: bottom - top };
  return svg('rect', { class: 'distribution-band', x: from, y: top, ...size });
}

function dots(values: readonly number[], x: (value: number) => number, bottom: number): SVGGElement {
  const group = svg('g', { class: 'distribution-dots' });
  for (const value of values.filter(Number.isFinite)) {
    group.append(svg('circle', { cx: x(value), cy: bottom, r: 3.5 }));
  }
  return group;
}

/** With a rim, so that it is seen over bars of any colour. */
function meanLine(x: number, top: number, bottom: number): SVGGElement {
  const ends = { x1: x, x2: x, y1: top, y2: bottom };
  const group = svg('g', { class: 'distribution-mean' });
  group.append(svg('line', { class: 'rim', ...ends }), svg('line', ends));
  return group;
}

function bracket(from: number, to: number, y: number): SVGPathElement {
  const d = `M${pixel(from)},${y + 6}V${y}H${pixel(to)}V${y + 6}`;
  return svg('path', { class: 'distribution-bracket', d });
}

function pixel(value: number): string {
  return value.toFixed(1);
}
