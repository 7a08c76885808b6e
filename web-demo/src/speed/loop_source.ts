// What the page shows of plain_loops.js: the functions that were timed.

import { METHODS } from '../compute/methods.js';
import type { DType, OperationName } from './settings.js';

/** @param source - the text of plain_loops.js */
export function loopSource(source: string, operation: OperationName, dtype: DType): string {
  const loop = functionIn(source, METHODS[operation].operation);
  if (dtype !== 'bfloat16') return loop;
  const scratch = source.split('\n').filter((line) => /^const (real|word) = /.test(line));
  return [loop, '', ...scratch, '', functionIn(source, 'withBfloat16')].join('\n');
}

function functionIn(source: string, name: string): string {
  const start = source.indexOf(`function ${name}(`);
  const end = source.indexOf('\n}', start);
  if (start < 0 || end < 0) throw new Error(`plain_loops.js lacks ${name}`);
  return source.slice(start, end + 2);
}
