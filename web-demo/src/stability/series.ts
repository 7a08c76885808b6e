// How each formula is drawn: a colour, a pattern and a symbol of its own, the same in all figures.

import {
  type SymbolType,
  symbol,
  symbolCircle,
  symbolDiamond,
  symbolSquare,
  symbolTriangle,
  symbolWye,
} from 'd3-shape';
import { svg } from '../ui/plot.js';
import type { FormulaName } from './protocol.js';

const LOOKS: Readonly<Record<FormulaName, { dashes?: string; mark: SymbolType }>> = {
  kernel: { mark: symbolCircle },
  onePass: { dashes: '7 4', mark: symbolTriangle },
  twoPass: { dashes: '2 3', mark: symbolSquare },
  welford: { dashes: '10 3 2 3', mark: symbolDiamond },
  plainRms: { dashes: '7 4', mark: symbolTriangle },
  sixteenBit: { dashes: '16 4', mark: symbolWye },
};

export function linePath(name: FormulaName, d: string): SVGPathElement {
  return svg('path', { class: `series series-${name}`, d, 'stroke-dasharray': LOOKS[name].dashes });
}

export function mark(name: FormulaName, x: number, y: number, size = 28): SVGPathElement {
  const d = symbol(LOOKS[name].mark, size)() ?? '';
  return svg('path', { class: `mark mark-${name}`, d, transform: `translate(${x} ${y})` });
}

/** Line and symbol, for a legend. */
export function swatch(name: FormulaName): SVGSVGElement {
  return svg(
    'svg',
    { class: 'stability-swatch', width: 36, height: 12, viewBox: '0 0 36 12', 'aria-hidden': 'true' },
    linePath(name, 'M0 6H36'),
    mark(name, 18, 6, 36),
  );
}
