// What the charts of the page share: SVG elements, and a frame with axes around the marks that a chart draws itself.

import type { ScaleContinuousNumeric } from 'd3-scale';

type Attributes = Record<string, string | number | boolean | undefined>;

/** Makes an SVG element. Attributes that are undefined or false are left out. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...content: (Node | string)[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...content);
  return element;
}

export interface FrameOptions {
  /** In CSS pixels, axes included. The caller redraws when its element changes its width. */
  readonly width: number;
  readonly height: number;
  readonly margin?: {
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
    readonly left: number;
  };
  /** Domains are set, ranges are set here. */
  readonly x: ScaleContinuousNumeric<number, number>;
  readonly y: ScaleContinuousNumeric<number, number>;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** How many ticks about; 0 for none. */
  readonly xTicks?: number;
  readonly yTicks?: number;
  readonly formatX?: (value: number) => string;
  readonly formatY?: (value: number) => string;
}

const MARGIN = { top: 10, right: 12, bottom: 36, left: 52 };
/** A tick and its label take about so many pixels, at least. */
const [TICK_WIDTH, TICK_HEIGHT] = [64, 32];

/**
 * A frame with axes and grid lines. The chart is a picture with the text alternative that its figure gives: `root` is hidden from
 * assistive technology, so stand it in a figure with a caption and offer the numbers as a table.
 */
export function frame(options: FrameOptions): { root: SVGSVGElement; marks: SVGGElement } {
  const { width, height, margin = MARGIN, x, y } = options;
  const [left, right] = [margin.left, Math.max(margin.left + 1, width - margin.right)];
  const [top, bottom] = [margin.top, Math.max(margin.top + 1, height - margin.bottom)];
  x.range([left, right]);
  y.range([bottom, top]);
  const ticksOf = (scale: FrameOptions['x'], wanted: number | undefined, pixels: number, each: number) =>
    wanted === 0 ? [] : scale.ticks(Math.max(2, Math.min(wanted ?? 8, Math.floor(pixels / each))));
  const { formatX = x.tickFormat(), formatY = y.tickFormat() } = options;
  const axes = svg('g', { class: 'plot-axes' });
  for (const value of ticksOf(y, options.yTicks, bottom - top, TICK_HEIGHT)) {
    const at = y(value);
    axes.append(
      svg('line', { class: 'plot-grid', x1: left, x2: right, y1: at, y2: at }),
      svg('text', { x: left - 6, y: at, dy: '0.32em', 'text-anchor': 'end' }, formatY(value)),
    );
  }
  for (const value of ticksOf(x, options.xTicks, right - left, TICK_WIDTH)) {
    const at = x(value);
    axes.append(
      svg('line', { class: 'plot-tick', x1: at, x2: at, y1: bottom, y2: bottom + 4 }),
      svg('text', { x: at, y: bottom + 16, 'text-anchor': 'middle' }, formatX(value)),
    );
  }
  axes.append(svg('line', { class: 'plot-base', x1: left, x2: right, y1: bottom, y2: bottom }));
  if (options.xLabel) {
    axes.append(
      svg(
        'text',
        { class: 'plot-label', x: (left + right) / 2, y: height - 4, 'text-anchor': 'middle' },
        options.xLabel,
      ),
    );
  }
  if (options.yLabel) {
    const middle = (top + bottom) / 2;
    axes.append(
      svg(
        'text',
        { class: 'plot-label', transform: `translate(12 ${middle}) rotate(-90)`, 'text-anchor': 'middle' },
        options.yLabel,
      ),
    );
  }
  const marks = svg('g', { class: 'plot-marks' });
  const root = svg(
    'svg',
    { class: 'plot', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    axes,
    marks,
  );
  return { root, marks };
}

/** Calls `draw` with the width of an element, at once where it has one and whenever that changes. */
export function onWidth(element: HTMLElement, draw: (width: number) => void): void {
  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth === width || element.clientWidth === 0) return;
    width = element.clientWidth;
    draw(width);
  }).observe(element);
}
