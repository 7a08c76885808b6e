// What the lab says of formulas and of their results.

import { significant, whole } from '../ui/format.js';
import type { FormulaName, FormulaResult, Outcome } from './protocol.js';
import { plain, type TypeName } from './settings.js';
import { arithmeticOf, TYPES } from './types.js';

/** What a formula is called; bad ones by the arithmetic that they use. */
export function titleOf(name: FormulaName, type: TypeName): string {
  const arithmetic = arithmeticOf(type);
  switch (name) {
    case 'kernel':
      return 'layernorm';
    case 'onePass':
      return `One pass, ${arithmetic}`;
    case 'twoPass':
      return `Two passes, ${arithmetic}`;
    case 'welford':
      return `Welford, ${arithmetic}`;
    case 'plainRms':
      return `Plain sum, ${arithmetic}`;
    case 'sixteenBit':
      return `All in ${type}`;
  }
}

/** How a formula computes, in one line. */
export const FORMULA_TEXT: Readonly<Record<FormulaName, string>> = {
  kernel: 'this package',
  onePass: 'E[x²] − E[x]²',
  twoPass: 'mean first, then E[(x − mean)²]',
  welford: 'a running mean',
  plainRms: 'E[x²], element after element',
  sixteenBit: 'rounded after every operation',
};

export type Grade = 'good' | 'fair' | 'bad';

export interface Verdict {
  readonly grade: Grade;
  readonly text: string;
}

/** Below this an error has not cost a decimal digit. */
export const DIGIT = 10;

/** Decimal digits of a type. */
function digitsOf(type: TypeName): number {
  return Math.floor((TYPES[type].mantissaBits + 1) * Math.log10(2));
}

/** The error, in ulp, from which no digit is left. */
export function allDigitsOf(type: TypeName): number {
  return 10 ** (digitsOf(type) - 0.5);
}

/** What is to be thought of a result. */
export function verdictOf(result: FormulaResult, outcome: Outcome): Verdict {
  const { ulp, missing, invented } = result;
  const { settings, truthNotFinite, truth } = outcome;
  if (invented > 0) return { grade: 'bad', text: 'numbers where NaN belongs' };
  if (missing > 0)
    return {
      grade: 'bad',
      text: `${causeOf(result, outcome) ?? 'no numbers'}: ${result.variance === 0 ? 'NaN or ∞' : 'NaN'}`,
    };
  if (truthNotFinite === settings.length) return { grade: 'good', text: 'NaN, as it must be' };
  if (ulp === 0) return { grade: 'good', text: 'exact' };
  if (ulp < DIGIT) return { grade: 'good', text: `right to ${significant(ulp, 2)} ulp` };
  const digits = digitsOf(settings.type);
  const lost = Math.min(digits, Math.round(Math.log10(ulp)));
  if (lost < digits) {
    return { grade: lost * 2 < digits ? 'fair' : 'bad', text: `${lost} of ${digits} digits lost` };
  }
  const cause = truth.variance > 0 ? causeOf(result, outcome) : undefined;
  return { grade: 'bad', text: cause ? `${cause}: all digits lost` : 'all digits lost' };
}

/** Why a result is no good, where a statistic tells. */
function causeOf({ mean, variance }: FormulaResult, { truth }: Outcome): string | undefined {
  if (variance === undefined) return undefined;
  if (mean !== undefined && !Number.isFinite(mean) && Number.isFinite(truth.mean)) return 'the sum overflows';
  if (!Number.isFinite(variance)) return 'the squares overflow';
  if (variance < 0) return 'the variance is negative';
  return variance === 0 ? 'the variance is 0' : undefined;
}

/** An error in a table. */
export function ulpText(ulp: number | undefined): string {
  if (ulp === undefined) return '';
  if (ulp === Number.POSITIVE_INFINITY) return 'NaN or ∞';
  return significant(ulp, 3);
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A power of ten as one writes it: 10⁴. */
export function powerText(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join('');
  return `10${exponent < 0 ? '⁻' : ''}${digits}`;
}

/** A number that was chosen: 300, or 10⁴ where it is a power of ten that is easier to read so. */
export function chosenText(value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e');
  if (mantissa === '1' && Math.abs(Number(exponent)) >= 3) return powerText(Number(exponent));
  return plain(value);
}

/** A number in full, as long as that can be read. */
export function inFull(value: number): string {
  const magnitude = Math.abs(value);
  if (value !== 0 && !(magnitude >= 1e-3 && magnitude < 1e15)) return significant(value, 8);
  return value.toLocaleString('en', { maximumSignificantDigits: 10 }).replace('-', '−');
}

/** What the input keeps of what was asked for. */
export function rowText({ settings, kept, x }: Outcome): string {
  const { type, length, offset, spread } = settings;
  if (length === 1) return `One number of ${type}: ${significant(x[0] as number, 7)}.`;
  const different = kept.distinct === length ? 'all different' : `${whole(kept.distinct)} different ones`;
  const many =
    kept.distinct === 1
      ? `${whole(length)} equal numbers of ${type}.`
      : `${whole(length)} numbers of ${type}, ${different}.`;
  if (offset > TYPES[type].largest) {
    return `${many} The constant is beyond the largest ${type}, ${significant(TYPES[type].largest, 5)}.`;
  }
  if (spread === 0 || offset === 0) return many;
  const apart = `Near ${chosenText(offset)} neighbouring numbers of this type are ${significant(kept.spacing, 2)} apart`;
  const keeps =
    kept.digits < 0.05
      ? 'the input keeps nothing of'
      : `the input keeps ${significant(kept.digits, 2)} ${kept.digits === 1 ? 'digit' : 'digits'} of`;
  return (
    `${many} ${apart}: ${keeps} a spread of ${chosenText(spread)}. ` +
    'All formulas, the reference too, get this rounded row, so what its rounding took counts as nobody’s error.'
  );
}

/** What a screen reader hears of a result. */
export function announcement(outcome: Outcome): string {
  const { settings, results } = outcome;
  const verdicts = results.map(
    (result) => `${titleOf(result.name, settings.type)}: ${verdictOf(result, outcome).text}`,
  );
  return `${verdicts.join('. ')}.`;
}
