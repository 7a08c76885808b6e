// The formula with the numbers of one element, as MathML to look at and as words to listen to.

import type { Method } from '../compute/methods.js';
import { significant } from '../ui/format.js';

export interface Element {
  readonly x: number;
  readonly y: number;
  /** Of the group, where the method subtracts one. */
  readonly mean: number | undefined;
  /** Standard deviation, root mean square or norm of the group. */
  readonly scale: number;
  readonly kind: Method['scale'];
  /** The factor that the kernel used. */
  readonly rstd: number;
  readonly epsilon: number;
  readonly gamma: number | undefined;
  readonly beta: number | undefined;
}

/** x before gamma and beta, by the mean and the factor that the kernel used. */
export function normalized({ x, y, mean, rstd, gamma, beta }: Element): number {
  return gamma === undefined && beta === undefined ? y : (x - (mean ?? 0)) * rstd;
}

/** Digits of the numbers in the formula: enough to check it by hand. */
const DIGITS = 4;
const show = (value: number): string => significant(value, DIGITS);

const NAMESPACE = 'http://www.w3.org/1998/Math/MathML';

type Part = MathMLElement | string;

function m(tag: string, ...parts: Part[]): MathMLElement {
  const element = document.createElementNS(NAMESPACE, tag);
  element.append(...parts);
  return element;
}

const row = (...parts: Part[]) => m('mrow', ...parts);
const op = (text: string) => m('mo', text);
const name = (text: string) => m('mi', text);
/** A number; a negative one in brackets where it follows an operator. */
const num = (value: number, isInner = false) =>
  isInner && (value < 0 || Object.is(value, -0))
    ? row(op('('), m('mn', show(value)), op(')'))
    : m('mn', show(value));
const hat = () => m('mover', m('mi', 'x'), m('mo', '^'));

/** Everything that goes into y, by its symbol and its name. */
export function valuesOf(element: Element): { symbol: string; name: string; value: string }[] {
  const { x, y, mean, scale, kind, rstd, epsilon, gamma, beta } = element;
  const statistics = {
    std: [
      { symbol: 'σ²', name: 'variance', value: show(scale * scale) },
      { symbol: 'ε', name: 'epsilon', value: significant(epsilon) },
      { symbol: '1/√(σ² + ε)', name: 'rstd', value: show(rstd) },
    ],
    rms: [
      { symbol: 'RMS²', name: 'mean square', value: show(scale * scale) },
      { symbol: 'ε', name: 'epsilon', value: significant(epsilon) },
      { symbol: '1/√(RMS² + ε)', name: 'factor', value: show(rstd) },
    ],
    norm: [
      { symbol: '‖x‖', name: 'norm', value: show(scale) },
      { symbol: 'ε', name: 'epsilon', value: significant(epsilon) },
      { symbol: '1/max(‖x‖, ε)', name: 'factor', value: show(rstd) },
    ],
  }[kind];
  return [
    { symbol: 'x', name: '', value: show(x) },
    ...(mean === undefined ? [] : [{ symbol: 'μ', name: 'mean', value: show(mean) }]),
    ...statistics,
    { symbol: 'x̂', name: 'normalized', value: show(normalized(element)) },
    ...(kind === 'norm'
      ? []
      : [{ symbol: 'γ', name: 'gamma', value: gamma === undefined ? 'none' : show(gamma) }]),
    ...(kind === 'std'
      ? [{ symbol: 'β', name: 'beta', value: beta === undefined ? 'none' : show(beta) }]
      : []),
    { symbol: 'y', name: '', value: show(y) },
  ];
}

/** Lines of MathML: the formula, the same with numbers, and the result. */
export function formulaLines(element: Element): HTMLElement[] {
  const { y, gamma, beta } = element;
  const lines = [...divisionLines(element), line(op('='), num(normalized(element)))];
  if (gamma === undefined && beta === undefined) return lines;

  const symbols: Part[] = [name('y'), op('=')];
  const numbers: Part[] = [op('=')];
  if (gamma !== undefined) {
    symbols.push(name('γ'));
    numbers.push(num(gamma), op('·'));
  }
  symbols.push(hat());
  numbers.push(num(normalized(element), gamma !== undefined));
  if (beta !== undefined) {
    symbols.push(op('+'), name('β'));
    numbers.push(op('+'), num(beta, true));
  }
  return [...lines, line(...symbols), line(...numbers), line(op('='), num(y))];
}

/** What is divided by what, in symbols and in numbers. */
function divisionLines({ x, mean, scale, kind, epsilon }: Element): HTMLElement[] {
  const [epsilonNumber, scaleNumber] = [m('mn', significant(epsilon)), m('mn', show(scale))];
  if (kind === 'norm') {
    const max = (a: Part, b: Part) => row(m('mi', 'max'), op('('), a, op(','), b, op(')'));
    const length = row(op('‖'), m('mi', 'x'), op('‖'));
    return [
      line(hat(), op('='), m('mfrac', name('x'), max(length, name('ε')))),
      line(op('='), m('mfrac', num(x), max(scaleNumber, epsilonNumber))),
    ];
  }
  const fraction = (above: Part[], squared: Part, added: Part) =>
    m('mfrac', row(...above), m('msqrt', row(m('msup', squared, m('mn', '2')), op('+'), added)));
  const symbol = name(kind === 'std' ? 'σ' : 'RMS');
  const [symbols, numbers] = [[name('x')], [num(x)]] as [Part[], Part[]];
  if (mean !== undefined) {
    symbols.push(op('−'), name('μ'));
    numbers.push(op('−'), num(mean, true));
  }
  return [
    line(hat(), op('='), fraction(symbols, symbol, name('ε'))),
    line(op('='), fraction(numbers, scaleNumber, epsilonNumber)),
  ];
}

/** Lines that go on with = are set in. */
function line(...parts: Part[]): HTMLElement {
  const math = m('math', row(...parts));
  math.setAttribute('displaystyle', 'true');
  const isStep = parts[0] instanceof Node && parts[0].textContent === '=';
  const element = document.createElement('div');
  element.className = `formula-line${isStep ? ' step' : ''}`;
  element.append(math);
  return element;
}

/** The same in words. */
export function formulaText(element: Element): string {
  const { x, y, mean, scale, kind, epsilon, gamma, beta } = element;
  const above = mean === undefined ? show(x) : `(${show(x)} − ${show(mean)})`;
  const below =
    kind === 'norm'
      ? `max(${show(scale)}, ${significant(epsilon)})`
      : `√(${show(scale)}² + ${significant(epsilon)})`;
  const first = `x hat = ${above} / ${below} = ${show(normalized(element))}`;
  if (gamma === undefined && beta === undefined) return `${first}.`;
  const scaled = gamma === undefined ? 'x hat' : `${show(gamma)} · x hat`;
  const shifted = beta === undefined ? scaled : `${scaled} + ${show(beta)}`;
  return `${first}; y = ${shifted} = ${show(y)}.`;
}
