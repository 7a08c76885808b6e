// What each formula makes of the row, one under the other.

import { el } from '../ui/dom.js';
import { significant, whole } from '../ui/format.js';
import type { FormulaName, FormulaResult, Outcome } from './protocol.js';
import { swatch } from './series.js';
import type { TypeName } from './settings.js';
import { FORMULA_TEXT, type Grade, titleOf, ulpText, verdictOf } from './words.js';

/** Elements of y that are written out. */
const WRITTEN = 4;
const GLYPHS: Readonly<Record<Grade, string>> = { good: '✓', fair: '!', bad: '✕' };
/** Of a number. A mean has one more: where it is wrong one has to see it. */
const DIGITS = 7;

export function formulaName(name: FormulaName, type: TypeName): HTMLElement {
  return el('span', { class: 'formula-name' }, swatch(name), el('b', {}, titleOf(name, type)));
}

export function verdictLine(result: FormulaResult, outcome: Outcome): HTMLElement {
  const { grade, text } = verdictOf(result, outcome);
  const glyph = el('span', { class: 'verdict-glyph', 'aria-hidden': 'true' }, GLYPHS[grade]);
  return el('span', { class: `verdict ${grade}` }, glyph, text);
}

export function resultTable(outcome: Outcome): HTMLElement {
  const { settings, results, truth, truthNotFinite } = outcome;
  const isCentred = settings.method === 'layer';
  const written = Math.min(WRITTEN, settings.length);
  const number = (value: number | undefined, digits = DIGITS): HTMLElement =>
    el('td', {}, value === undefined ? '–' : significant(value, digits));
  const values = (y: Float64Array): HTMLElement[] => [...y.slice(0, written)].map((value) => number(value));
  const rows = results.map((result) => {
    return el(
      'tr',
      { 'data-formula': result.name },
      el(
        'th',
        { scope: 'row' },
        formulaName(result.name, settings.type),
        el('span', { class: 'formula-how' }, FORMULA_TEXT[result.name]),
        verdictLine(result, outcome),
      ),
      el('td', {}, ulpText(result.ulp)),
      ...(isCentred ? [number(result.mean, DIGITS + 1)] : []),
      number(result.variance),
      el('td', {}, whole(result.notFinite)),
      ...values(result.y),
    );
  });
  const reference = el(
    'tr',
    { 'data-formula': 'truth' },
    el(
      'th',
      { scope: 'row' },
      el('b', {}, 'Float64 reference'),
      el('span', { class: 'formula-how' }, 'compensated sums: the truth'),
    ),
    el('td', {}, '–'),
    ...(isCentred ? [number(truth.mean, DIGITS + 1)] : []),
    number(truth.variance),
    el('td', {}, whole(truthNotFinite)),
    ...values(truth.y),
  );
  const titles = [
    'Largest error, ulp',
    ...(isCentred ? ['Mean', 'Variance'] : ['Mean square']),
    'NaN or ∞',
    ...Array.from({ length: written }, (_, i) => `y[${i}]`),
  ];
  return el(
    'table',
    { class: 'stability-table' },
    el('caption', { class: 'visually-hidden' }, 'The same row by each formula'),
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        el('th', { scope: 'col' }, 'Formula'),
        ...titles.map((title) => el('th', { scope: 'col' }, title)),
      ),
    ),
    el('tbody', {}, reference, ...rows),
  );
}
