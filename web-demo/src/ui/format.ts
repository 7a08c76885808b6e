// Numbers for people: a true minus sign, no negative zero, and as many digits as a column needs.

const MINUS = '−';

/** Beyond these, numbers are written with a power of ten. */
const [LARGE, SMALL] = [1e6, 1e-3];

function clean(text: string): string {
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace(/^-/, MINUS).replace('e-', `e${MINUS}`);
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  return undefined;
}

/** Writes the numbers of a column alike, the largest of which is about `scale`; each on its own where that is extreme. */
export function columnFormat(scale: number, digits = 4): (value: number) => string {
  if (scale !== 0 && (scale >= LARGE || scale < SMALL)) return (value) => significant(value, digits - 1);
  const whole = scale >= 1 ? Math.floor(Math.log10(scale)) + 1 : 1;
  const decimals = Math.max(0, digits - whole);
  return (value) => special(value) ?? clean(value.toFixed(decimals));
}

/** One number on its own, with about so many significant digits. */
export function significant(value: number, digits = 4): string {
  const said = special(value);
  if (said !== undefined) return said;
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude >= LARGE || magnitude < SMALL))
    return clean(shortExponential(value, digits - 1));
  return clean(String(Number(value.toPrecision(digits))));
}

function shortExponential(value: number, decimals: number): string {
  const [mantissa, exponent] = value.toExponential(decimals).split('e');
  return `${Number(mantissa)}e${exponent?.replace('+', '')}`;
}

export function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${significant(milliseconds / 1000, 3)} s`;
  if (milliseconds >= 1) return `${significant(milliseconds, 3)} ms`;
  return `${significant(milliseconds * 1000, 3)} µs`;
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${significant(value, 3)} ${units[unit]}`;
}

export function whole(n: number): string {
  return n.toLocaleString('en');
}
