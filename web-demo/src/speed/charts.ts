// The charts: bars of one shape, lines over sizes, lines over threads. Each stands in a figure that says the same in a table.

import { max, min } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';
import { symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle, symbolWye } from 'd3-shape';
import { frame, svg } from '../ui/plot.js';
import { nameOf, type Row, type SizeRow, speedText } from './results.js';
import { binaryBytes } from './settings.js';

const SYMBOLS: Record<string, typeof symbolCircle> = {
  tensor: symbolCircle,
  one: symbolWye,
  array: symbolSquare,
  loop: symbolTriangle,
  copy: symbolDiamond,
};
const SYMBOL_AREA = 40;
/** Below this width labels stand over their bars. */
const NARROW = 520;
const AXIS_HEIGHT = 42;

/** One bar a row, its quartiles as a whisker, and the speed of memcpy as a line through all. */
export function barChart(rows: readonly Row[], threads: number, width: number): SVGSVGElement {
  const isNarrow = width < NARROW;
  const [barHeight, rowHeight] = isNarrow ? [16, 46] : [20, 38];
  const margin = { top: 22, right: 78, bottom: AXIS_HEIGHT, left: isNarrow ? 2 : 136 };
  const height = margin.top + rows.length * rowHeight + margin.bottom;
  const x = scaleLinear([0, (max(rows, ({ speed }) => speed.high) ?? 1) * 1.04], []);
  const y = scaleLinear([rows.length, 0], []);
  const { root, marks } = frame({ width, height, margin, x, y, yTicks: 0, xLabel: 'GB/s', xTicks: 6 });
  const bottom = height - margin.bottom;
  rows.forEach(({ name, speed }, i) => {
    const top =
      margin.top + i * rowHeight + (isNarrow ? rowHeight - barHeight - 6 : (rowHeight - barHeight) / 2);
    const middle = top + barHeight / 2;
    const label = isNarrow
      ? { x: margin.left, y: top - 6 }
      : { x: margin.left - 8, y: middle, dy: '0.32em', 'text-anchor': 'end' };
    marks.append(
      svg('text', { class: 'speed-label', ...label }, nameOf(name, threads)),
      svg('rect', {
        class: `speed-bar of-${name}`,
        x: x(0),
        y: top,
        width: Math.max(1, x(speed.median) - x(0)),
        height: barHeight,
      }),
      whisker(x(speed.low), middle, x(speed.high), middle),
      svg(
        'text',
        { class: 'speed-value', x: width, y: middle, dy: '0.32em', 'text-anchor': 'end' },
        `${speedText(speed.median)} GB/s`,
      ),
    );
  });
  const copy = rows.find(({ name }) => name === 'copy');
  if (copy) {
    const at = x(copy.speed.median);
    marks.append(
      svg('line', { class: 'speed-limit', x1: at, x2: at, y1: margin.top - 4, y2: bottom }),
      svg(
        'text',
        { x: at, y: 12, 'text-anchor': at > width - margin.right - 30 ? 'end' : 'middle' },
        'memcpy',
      ),
    );
  }
  return root;
}

function whisker(x1: number, y1: number, x2: number, y2: number): SVGGElement {
  const [dx, dy] = x1 === x2 ? [4, 0] : [0, 4];
  return svg(
    'g',
    { class: 'speed-whisker' },
    svg('line', { x1, y1, x2, y2 }),
    svg('line', { x1: x1 - dx, x2: x1 + dx, y1: y1 - dy, y2: y1 + dy }),
    svg('line', { x1: x2 - dx, x2: x2 + dx, y1: y2 - dy, y2: y2 + dy }),
  );
}

const SWEEP_MARGIN = { top: 10, right: 26, bottom: AXIS_HEIGHT, left: 52 };

/** 1, 2 and 5 times the powers of ten. */
function speedTicks([low, high]: readonly [number, number]): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** A line a contender, over the size of x; both axes are logarithmic. */
export function sweepChart(
  rows: readonly SizeRow[],
  [first, last]: readonly [number, number],
  width: number,
): SVGSVGElement {
  const x = scaleLog([first, last], []).base(2);
  const speeds = rows.flatMap(({ of }) => of.map(({ speed }) => speed.median));
  // Copies within a cache are ten times as fast as anything else: equal distances are equal ratios.
  const y = scaleLog([(min(speeds) ?? 1) / 1.1, (max(speeds) ?? 10) * 1.1], []);
  const { root, marks } = frame({
    width,
    height: 340,
    x,
    y,
    xLabel: 'size of x',
    yLabel: 'GB/s',
    yTicks: 0,
    formatX: binaryBytes,
    margin: SWEEP_MARGIN,
  });
  for (const value of speedTicks(y.domain() as [number, number])) {
    const at = y(value);
    marks.append(
      svg('line', {
        class: 'plot-grid',
        x1: SWEEP_MARGIN.left,
        x2: width - SWEEP_MARGIN.right,
        y1: at,
        y2: at,
      }),
      svg('text', { x: SWEEP_MARGIN.left - 6, y: at, dy: '0.32em', 'text-anchor': 'end' }, String(value)),
    );
  }
  for (const { name } of rows[0]?.of ?? []) {
    const points = rows.flatMap(({ bytes, of }) => {
      const row = of.find((one) => one.name === name);
      return row ? [[x(bytes), y(row.speed.median)] as const] : [];
    });
    marks.append(lineOf(name, points));
  }
  return root;
}

/** The tensor's speed over the number of threads, beside what it would be if each did as much as one does alone. */
export function scalingChart(rows: readonly Row[], width: number): SVGSVGElement {
  const counts = rows.map(({ name }) => Number(name));
  const most = Math.max(2, ...counts);
  const alone = rows[0]?.speed.median ?? 0;
  const x = scaleLinear([1, most], []);
  const y = scaleLinear([0, Math.max(alone * most, ...rows.map(({ speed }) => speed.high)) * 1.04], []);
  const { root, marks } = frame({
    width,
    height: 260,
    x,
    y,
    xTicks: 0,
    xLabel: 'threads',
    yLabel: 'GB/s',
    yTicks: 6,
    margin: { top: 10, right: 20, bottom: AXIS_HEIGHT, left: 52 },
  });
  for (const count of counts) {
    marks.append(
      svg('text', { x: x(count), y: 260 - AXIS_HEIGHT + 16, 'text-anchor': 'middle' }, String(count)),
    );
  }
  marks.append(
    svg('line', { class: 'speed-limit', x1: x(1), y1: y(alone), x2: x(most), y2: y(alone * most) }),
    lineOf(
      'tensor',
      rows.map(({ name, speed }) => [x(Number(name)), y(speed.median)] as const),
    ),
  );
  for (const { name, speed } of rows) {
    marks.append(whisker(x(Number(name)), y(speed.low), x(Number(name)), y(speed.high)));
  }
  return root;
}

function lineOf(name: string, points: readonly (readonly [number, number])[]): SVGGElement {
  const mark = symbol(SYMBOLS[name] ?? symbolCircle, SYMBOL_AREA)() ?? '';
  return svg(
    'g',
    { class: `speed-line of-${name}` },
    svg('polyline', { points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ') }),
    ...points.map(([x, y]) =>
      svg('path', { d: mark, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` }),
    ),
  );
}

/** What stands for a contender in the lines. */
export function swatch(name: string): SVGSVGElement {
  return svg(
    'svg',
    { class: 'speed-swatch', width: 36, height: 14, viewBox: '0 0 36 14', 'aria-hidden': 'true' },
    svg(
      'g',
      { class: `speed-line of-${name}` },
      svg('polyline', { points: '1,7 35,7' }),
      svg('path', {
        d: symbol(SYMBOLS[name] ?? symbolCircle, SYMBOL_AREA)() ?? '',
        transform: 'translate(18 7)',
      }),
    ),
  );
}
