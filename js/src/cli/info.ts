// layernorm info

import { contentOf, numberOf } from './csv.js';
import { csvLayoutOf, readCsvRows } from './csv_file.js';
import { formatOf } from './document.js';
import { harmless } from './failure.js';
import { type Input, openInput } from './input.js';
import { npyHeaderOf } from './npy_file.js';
import { COMMON_OPTIONS, onlyPositional, READ_OPTIONS, readArguments } from './options.js';
import { print } from './output.js';
import { momentsIn } from './parameters.js';
import { sizeText } from './progress.js';
import { safetensorsHeaderOf } from './safetensors_file.js';

/** What is known of a file. */
interface Contents {
  readonly format: string;
  /** For programs. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** For people: under the name of the file. */
  readonly lines: readonly string[];
}

const { header, delimiter } = READ_OPTIONS;

export async function infoCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, { ...COMMON_OPTIONS, header, delimiter });
  const path = onlyPositional(positionals, 'the file to look at');
  const input = await openInput(path);
  try {
    const { format, fields, lines } = await contentsOf(input, values);
    const bytes = input.size;
    const size = bytes === undefined ? '' : `, ${sizeText(bytes)}`;
    await print(
      values.json
        ? `${JSON.stringify({ file: input.name, format, bytes, ...fields })}\n`
        : [`${input.name}: ${format}${size}`, ...lines.map((line) => `  ${harmless(line)}`), ''].join('\n'),
    );
  } finally {
    await input.close();
  }
}

async function contentsOf(
  input: Input,
  options: { header?: boolean; delimiter?: string },
): Promise<Contents> {
  if (Buffer.from(await input.peek(MOMENTS.length)).toString('latin1') === MOMENTS)
    return await momentsOf(input);
  const format = await formatOf(input);
  return await { npy: npyIn, safetensors: safetensorsIn, csv: csvIn }[format](input, options);
}

/** What the bytes of `Moments` begin with. */
const MOMENTS = 'LNMO';

async function momentsOf(input: Input): Promise<Contents> {
  const moments = await momentsIn(input);
  const { count, shape } = moments.finalize();
  const { axis } = moments;
  // There may be more than a call takes arguments.
  const least = count.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = count.reduce((a, b) => Math.max(a, b), 0);
  const counted = count.length === 0 ? 'nothing' : least === most ? `${least}` : `${least} to ${most}`;
  return {
    format: 'moments',
    fields: { axis, shape, count: [...count] },
    lines: [`axis ${axis.join(', ') || 'none'}, ${sizes(shape)}, ${counted} counted of each feature`],
  };
}

async function npyIn(input: Input): Promise<Contents> {
  const { dtype, shape, fortranOrder, littleEndian } = await npyHeaderOf(input);
  const order = `${fortranOrder ? ', Fortran order' : ''}${littleEndian ? '' : ', big-endian'}`;
  return {
    format: 'npy',
    fields: { dtype, shape, fortranOrder, littleEndian },
    lines: [`${dtype} ${sizes(shape)}${order}`],
  };
}

async function safetensorsIn(input: Input): Promise<Contents> {
  const { tensors, metadata } = await safetensorsHeaderOf(input);
  const all = [...tensors].map(([name, { dtype, storedDType, shape, start, end }]) => ({
    ...{ name, dtype: dtype ?? storedDType, shape, bytes: end - start },
  }));
  const width = all.reduce((most, { name }) => Math.max(most, name.length), 0);
  return {
    format: 'safetensors',
    fields: { tensors: all, metadata: Object.fromEntries(metadata) },
    lines: [
      ...all.map(
        ({ name, dtype, shape, bytes }) =>
          `${name.padEnd(width)}  ${dtype} ${sizes(shape)}, ${sizeText(bytes)}`,
      ),
      ...[...metadata].map(([key, value]) => `${key}: ${value}`),
    ],
  };
}

async function csvIn(input: Input, options: { header?: boolean; delimiter?: string }): Promise<Contents> {
  const layout = await csvLayoutOf(input, options);
  let rows = 0;
  const all = { from: 0, to: Number.POSITIVE_INFINITY };
  for await (const block of readCsvRows(input, { ...layout, isGuessed: false }, [], all)) rows += block.rows;
  const columns = Array.from({ length: layout.width }, (_, i) => {
    const cell = layout.header?.cells[i];
    const name = cell === undefined ? undefined : Buffer.from(contentOf(cell), 'latin1').toString();
    return { position: i + 1, name, numbers: numberOf(layout.first.cells[i] as string) !== undefined };
  });
  const header = layout.header !== undefined;
  return {
    format: 'csv',
    fields: { rows, header, delimiter: layout.delimiter, columns },
    lines: [
      `${rows} rows, separated by ${layout.delimiter === '\t' ? 'tabs' : layout.delimiter}, ${header ? 'with a' : 'without a'} header`,
      ...columns.map(
        ({ position, name, numbers }) => `${position}  ${name ?? ''}${numbers ? '' : ' (text)'}`,
      ),
    ],
  };
}

function sizes(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
