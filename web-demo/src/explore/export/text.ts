// Numbers and arrays as source code.

/** How many columns a line of code has, at most. */
const WIDTH = 88;
/** What stands before an array that begins in a line of its own, such as `const gamma = new Float32Array(`. */
const LEAD = 32;
const PYTHON_STEP = '    ';

/** What a language calls the values that are no finite number. */
export interface Words {
  readonly nan: string;
  readonly infinity: string;
  /** Minus zero needs a point where whole numbers have none. */
  readonly minusZero: string;
}

export const JS_WORDS: Words = { nan: 'NaN', infinity: 'Infinity', minusZero: '-0' };
export const NUMPY_WORDS: Words = { nan: 'np.nan', infinity: 'np.inf', minusZero: '-0.0' };
export const TORCH_WORDS: Words = { nan: 'torch.nan', infinity: 'torch.inf', minusZero: '-0.0' };

/** The shortest text that is read as the same number, of float32 where `isSingle`. */
export function shortest(value: number, isSingle: boolean): string {
  if (!isSingle || !Number.isFinite(value) || Math.fround(value) !== value) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

export function literal(value: number, isSingle: boolean, words: Words): string {
  if (Number.isNaN(value)) return words.nan;
  if (!Number.isFinite(value)) return value > 0 ? words.infinity : `-${words.infinity}`;
  return Object.is(value, -0) ? words.minusZero : shortest(value, isSingle);
}

/** Texts with commas between them, on one line where they fit, else on lines of their own. */
export function wrapped(
  open: string,
  items: readonly string[],
  close: string,
  { indent = '', step = '  ', lead = 0 } = {},
): string {
  const line = `${open}${items.join(', ')}${close}`;
  if ((lead || indent.length || LEAD) + line.length <= WIDTH) return line;
  const inner = indent + step;
  const lines: string[] = [];
  let current = '';
  for (const item of items) {
    if (current !== '' && inner.length + current.length + item.length + 2 > WIDTH) {
      lines.push(`${current},`);
      current = '';
    }
    current += current === '' ? item : `, ${item}`;
  }
  lines.push(`${current},`);
  return `${open.trimEnd()}\n${lines.map((text) => inner + text).join('\n')}\n${indent}${close.trimStart()}`;
}

/** Nested Python lists of a shape, row by row. */
export function nested(items: readonly string[], shape: readonly number[], indent = ''): string {
  const [size = 1, ...rest] = shape;
  if (rest.length === 0) return wrapped('[', items, ']', { indent, step: PYTHON_STEP });
  const each = items.length / size;
  const parts = Array.from({ length: size }, (_, i) =>
    nested(items.slice(i * each, (i + 1) * each), rest, indent + PYTHON_STEP),
  );
  const line = `[${parts.join(', ')}]`;
  if (!line.includes('\n') && (indent.length || LEAD) + line.length <= WIDTH) return line;
  return `[\n${parts.map((part) => `${indent}${PYTHON_STEP}${part},\n`).join('')}${indent}]`;
}

export function pythonTuple(numbers: readonly number[]): string {
  return numbers.length === 1 ? `(${numbers[0]},)` : `(${numbers.join(', ')})`;
}

export function list(numbers: readonly number[]): string {
  return `[${numbers.join(', ')}]`;
}

/** A comment, in lines that fit. */
export function comment(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + word.length + 3 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`);
}
