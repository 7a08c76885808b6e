// What the grid says: numbers in small cells, and what a change has moved.

import type { MethodName } from '../../compute/methods.js';
import { count } from '../../parse/dataset.js';
import { significant, whole } from '../../ui/format.js';
import { WORDS } from '../words.js';
import type { Change, Moved, Movement } from './protocol.js';

const MINUS = '−';

/** Decimals of a number in a cell, at most. */
const MAX_DECIMALS = 3;

/**
 * As much of a number as there is room for, at least its sign.
 * @param hasRoom - whether a text fits
 */
export function cellText(value: number, hasRoom: (text: string) => boolean): string {
  if (Number.isNaN(value)) return hasRoom('NaN') ? 'NaN' : '?';
  const sign = value < 0 ? MINUS : '';
  const magnitude = Math.abs(value);
  if (magnitude === 0) return '0';
  const candidates = Number.isFinite(value) ? [] : ['∞'];
  if (magnitude < 1e15) {
    for (let decimals = MAX_DECIMALS; decimals >= 0; decimals--) {
      const text = magnitude.toFixed(decimals);
      // Zeros at the end say nothing, and the one in front little.
      const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
      candidates.push(short, short.replace(/^0\./, '.'));
    }
  }
  const isTiny = candidates.length > 0 && candidates.every((text) => text === '0');
  const power = magnitude.toExponential(0).replace('e+', 'e').replace('e-', `e${MINUS}`);
  if (Number.isFinite(value)) candidates[isTiny ? 'unshift' : 'push'](power);
  const text = candidates.find((one) => hasRoom(sign + one));
  return text === undefined ? sign || '+' : sign + text;
}

/** What somebody types: also inf and nan, a true minus sign and a decimal comma. */
export function parseNumber(text: string): number | undefined {
  const plain = text.trim().replace(MINUS, '-').replace(',', '.').toLowerCase();
  if (plain === 'nan') return Number.NaN;
  const infinite = /^([+-]?)(?:inf|infinity|∞)$/.exec(plain);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(plain)) return undefined;
  return Number(plain);
}

/** A step that is small beside the numbers of a sample, and easy to read. */
export function stepFor(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  const mean = finite.reduce((a, b) => a + b, 0) / Math.max(1, finite.length);
  const spread = Math.sqrt(
    finite.reduce((total, value) => total + (value - mean) ** 2, 0) / Math.max(1, finite.length),
  );
  const wanted = (spread || Math.abs(mean) || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const steps = [1, 2.5, 5, 10].map((factor) => Number((factor * power).toPrecision(2)));
  return steps.reduce((best, step) =>
    Math.abs(Math.log(step / wanted)) < Math.abs(Math.log(best / wanted)) ? step : best,
  );
}

/** What has been changed, as a sentence about somebody who did it. */
export function changeSentence(change: Change, code: string, noun: string): string {
  switch (change.kind) {
    case 'set':
      return `You changed ${code}.`;
    case 'shift': {
      const direction = change.by > 0 ? 'up' : 'down';
      return `You shifted ${noun} ${change.sample} ${direction} by ${significant(Math.abs(change.by))}.`;
    }
    case 'scale':
      return `You multiplied ${noun} ${change.sample} by ${significant(change.by)}.`;
    case 'undo':
      return 'You took the last change back.';
    case 'reset':
      return 'You put all numbers back.';
  }
}

export interface MovementWords {
  readonly method: string;
  /** '8 values of 1 sample moved' */
  readonly count: string;
  /** Where that needs it: that it was by rounding only. */
  readonly remark: string;
}

/** Below this part of what the colours reach, only rounding has moved a value. */
const ROUNDING = 2e-6;

export function movementWords(
  method: MethodName,
  { values, samples, largest }: Movement,
  reach: number,
  noun: string,
): MovementWords {
  const isRounding = values > 0 && largest <= ROUNDING * Math.max(reach, 1);
  return {
    method: `${WORDS[method].title} normalization`,
    count: values === 0 ? 'no value moved' : `${count(values, 'value')} of ${count(samples, noun)} moved`,
    remark: isRounding ? `by rounding only, at most ${significant(largest, 2)}` : '',
  };
}

/** All of it: 'You changed x[2, 3]. Layer normalization: 8 values of 1 sample moved. Batch normalization: …' */
export function movedSentence(
  change: string,
  moved: Moved,
  methods: readonly [MethodName, MethodName],
  reach: number,
  noun: string,
): string {
  const parts = [moved.y, moved.contrast].map((movement, i) => {
    const words = movementWords(methods[i] as MethodName, movement, reach, noun);
    return `${words.method}: ${words.count}${words.remark ? `, ${words.remark}` : ''}.`;
  });
  return moved.x.values === 0 ? `${change} No number is another one by that.` : [change, ...parts].join(' ');
}

/** 'x[2, 3]' */
export function codeOf(index: readonly number[]): string {
  return `x[${index.join(', ')}]`;
}

/** Who shares a statistic: '8 cells in sample 2', '6 cells in all 6 samples'. */
export function sharers(size: number, from: number, to: number, samples: number, noun: string): string {
  const cells = count(size, 'cell');
  if (samples === 1) return cells;
  if (to - from === 1) return `${cells} in ${noun} ${from}`;
  return to - from === samples
    ? `${cells} in all ${whole(samples)} ${noun}s`
    : `${cells} in ${whole(to - from)} ${noun}s`;
}
