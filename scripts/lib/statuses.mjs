import { readFileSync } from 'node:fs';
import { at } from './paths.mjs';
import { StepError } from './run.mjs';

/** Code and text of every status, as the core has them. */
export function statuses() {
  const source = readFileSync(at('src', 'core', 'status.h'), 'utf8');
  const list = /#define LAYERNORM_STATUSES\(X\)([\s\S]*?)\n\n/.exec(source)?.[1] ?? '';
  const entries = [...list.matchAll(/X\(\w+, "(\w+)",[\s\\]*"([^"]*)"\)/g)].map(([, code, text]) => [
    code,
    text,
  ]);
  if (entries.length === 0 || entries.length !== list.match(/X\(/g)?.length) {
    throw new StepError(
      'src/core/status.h: the list of statuses is written in a way that scripts/lib/statuses.mjs does not know',
    );
  }
  return entries;
}
