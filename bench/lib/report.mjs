// What run.mjs prints: one table of everything that was measured, in one Node or several.

import { PEERS } from '../peers/index.mjs';
import { BASE } from './compare.mjs';
import { geometricMean } from './statistics.mjs';
import { digits3, ratioText, spreadText, table } from './table.mjs';

/**
 * @param {object[]} results of worker.mjs, one for each Node
 * @param {Record<string, Record<string, number>>} [native] of measureNative
 */
export function report(results, native) {
  const parts = [head(results)];
  if (results[0].operations) parts.push(operationsPart(results));
  if (results[0].calls) parts.push(callsPart(results));
  if (results[0].start) parts.push(startPart(results));
  if (results[0].memory) parts.push(memoryPart(results));
  if (native) parts.push(nativePart(results, native));
  return parts.join('\n\n');
}

const shortNode = ({ node }) => node.split('.')[0];

function head(results) {
  const [{ layernorm, builds, cpu, quick, processes }] = results;
  const { version, variant, threads } = layernorm;
  const lines = [
    `layernorm ${version} (${variant}, ${threads} thread${threads === 1 ? '' : 's'})${quick ? ', quick run' : ''}${processes ? `, ${processes} processes` : ''}`,
    `${results.map(({ node, v8 }) => `Node ${node} (V8 ${v8.split('-')[0]})`).join(' and ')} on ${cpu}`,
  ];
  if (builds.length > 1) lines.push(...builds.map(({ name, folder }) => `${name}: ${folder}`));
  return lines.join('\n');
}

// ---- Operations

function operationsPart(results) {
  const { titles, missing, absent, rows } = results[0].operations;
  const columns = columnsOf(results);
  const groups = groupBy([...rows.keys()], (i) => groupOf(rows[i]));

  const lines = [];
  for (const [title, indices] of groups) {
    const of = (result) => indices.map((i) => result.operations.rows[i]);
    const used = columns.filter((name) =>
      results.some((result) => of(result).some(({ cells }) => cells[name])),
    );
    lines.push([title, 'Node', 'GB/s', ...used]);
    for (const i of indices) {
      for (const result of results)
        lines.push(operationLine(result, result.operations.rows[i], used, results[0]));
    }
    for (const result of results) lines.push(...meanLine(result, of(result), used, results[0]));
    lines.push([]);
  }
  const notes = [
    'GB/s: what layernorm moves on tensors in its heap, each large input read once and each large output written once.',
    "Other columns: their time divided by layernorm's, so above 1 layernorm is faster: the median and the quartiles of",
    'the ratios of single rounds. ! gives wrong numbers on these rows.',
    ...Object.entries(titles).map(([name, title]) => `${name}: ${title}`),
    ...(columns.includes('1 thread') ? ['1 thread: layernorm on one thread'] : []),
    ...(columns.includes('in steps') ? ['in steps: layerNorm, a copy of the first columns, unitNorm'] : []),
    ...(columns.includes('float32') ? ['float32: the same call on as many elements of float32'] : []),
    ...(columns.includes('arrays') ? ['arrays: layernorm on ordinary typed arrays, with out'] : []),
    ...Object.entries(missing).map(([name, reason]) => `${name} was not measured. ${reason}`),
    ...[...groupBy(absent, ({ reason }) => reason)].map(
      ([reason, cases]) => `not measured, ${reason}: ${cases.map(({ case: id }) => id).join(', ')}`,
    ),
    ...results.flatMap(failures),
  ];
  return `${table(lines)}\n${notes.join('\n')}`;
}

/** Builds, arrays, then the peers, each in the order in which they are listed. */
function columnsOf(results) {
  const rows = results.flatMap(({ operations }) => operations.rows);
  const names = new Set(rows.flatMap(({ cells }) => Object.keys(cells)));
  const peers = Object.keys(PEERS).filter((name) => names.has(name));
  return [...[...names].filter((name) => name !== BASE && !(name in PEERS)), ...peers];
}

const groupOf = ({ operation, dtype }) => `${operation} ${dtype}`;

function groupBy(values, keyOf) {
  const groups = new Map();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}

function operationLine(result, { label, bytes, cells }, columns, first) {
  const base = cells[BASE];
  const speed = base.ms ? digits3(bytes / base.ms.median / 1e6) + mark(base) : 'failed';
  return [
    result === first ? `  ${label}` : '',
    shortNode(result),
    speed,
    ...columns.map((name) => cellText(cells[name])),
  ];
}

const mark = ({ wrong }) => (wrong ? '!' : '');

function cellText(cell) {
  if (!cell) return '-';
  if (cell.failure) return 'failed';
  return cell.ratio ? spreadText(cell.ratio) + mark(cell) : '?';
}

function meanLine(result, rows, columns, first) {
  const headlines = rows.filter(({ headline }) => headline);
  if (headlines.length < 2) return [];
  const meanOf = (name) => {
    const ratios = headlines.map(({ cells }) => cells[name]?.ratio?.median);
    return ratios.includes(undefined) ? '-' : `${ratioText(geometricMean(ratios))}${' '.repeat(10)}`;
  };
  const label = result === first ? `  geometric mean of ${headlines.length} shapes` : '';
  return [[label, shortNode(result), '', ...columns.map(meanOf)]];
}

/** One line a reason, since what fails mostly fails on every row. */
function failures(result) {
  const failed = result.operations.rows.flatMap((row) =>
    Object.entries(row.cells)
      .filter(([, { failure }]) => failure)
      .map(([name, { failure }]) => ({ name, failure, row: `${groupOf(row)} ${row.label}` })),
  );
  const groups = groupBy(
    failed,
    ({ name, failure }) => `${name} failed in Node ${shortNode(result)}: ${failure}`,
  );
  return [...groups].map(([text, rows]) => {
    const more = rows.length > 1 ? ` and ${rows.length - 1} more` : '';
    return `${text} (on ${rows[0].row}${more})`;
  });
}

// ---- Calls, start, memory

function callsPart(results) {
  const names = Object.keys(results[0].calls[0].cells);
  const lines = [['a call on, in us', 'Node', ...names]];
  for (const [i, { label }] of results[0].calls.entries()) {
    for (const result of results) {
      const { cells } = result.calls[i];
      const cell = (name) => `${digits3(cells[name].us.median)} (${ratioText(cells[name].ratio.median)})`;
      lines.push([result === results[0] ? `  ${label}` : '', shortNode(result), ...names.map(cell)]);
    }
  }
  return `${table(lines)}\nIn brackets: the time divided by that of the plain JavaScript loop.`;
}

function startPart(results) {
  const names = Object.keys(results[0].start);
  const cell = (name) => (result) => {
    const { median, q1, q3 } = result.start[name];
    return `${digits3(median)} ${digits3(q1)}-${digits3(q3)}`;
  };
  return table([
    ['start in a fresh process, in ms', ...results.map((result) => `Node ${shortNode(result)}`)],
    ...names.map((name) => [`  ${name}`, ...results.map(cell(name))]),
  ]);
}

function memoryPart(results) {
  const MiB = (bytes) => (bytes / 2 ** 20).toFixed(1);
  return table([
    [
      'memory in MiB, after',
      ...results.flatMap((result) => [`Node ${shortNode(result)}: wasm`, 'of the process']),
    ],
    ...results[0].memory.map(({ after }, i) => [
      `  ${after}`,
      ...results.flatMap(({ memory }) => [MiB(memory[i].memoryBytes), MiB(memory[i].rssBytes)]),
    ]),
  ]);
}

/** Which builds there are; the first one is what wasm is compared with. */
const NATIVE = ['simd128 -mavx2', 'simd128', 'emulated -mavx2', 'emulated'];

function nativePart(results, native) {
  const shapes = Object.keys(native);
  const builds = Object.keys(native[shapes[0]] ?? {}).sort((a, b) => NATIVE.indexOf(a) - NATIVE.indexOf(b));
  const wasm = (result, shape) => {
    const row = result.operations?.rows.find(
      (one) => `${groupOf(one)} ${one.label}` === `layerNorm float32 ${shape}`,
    );
    const ms = row?.cells[BASE].ms;
    return ms && row.bytes / ms.median / 1e6;
  };
  const lines = [
    ['natively built, GB/s', ...builds, ...results.map((result) => `wasm, Node ${shortNode(result)}`)],
    ...shapes.map((shape) => [
      `  ${shape}`,
      ...builds.map((build) => digits3(native[shape][build])),
      ...results.map((result) => {
        const speed = wasm(result, shape);
        return speed ? `${digits3(speed)} (${ratioText(speed / native[shape][builds[0]])})` : '-';
      }),
    ]),
  ];
  return `${table(lines)}\nIn brackets: as a part of ${builds[0]}, the same kernels built natively. Measured one after the other, not in turn.`;
}
