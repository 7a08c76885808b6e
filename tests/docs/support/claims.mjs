// What a block says that it prints: the comment below a console.log. It is compared with what is printed, word by word; numbers to
// as many digits as the comment has. A comment behind the call is for readers only.

import { formatWithOptions } from 'node:util';

const CALL = /^(\s*)console\.log\((.*)\);\s*(?:\/\/ .*)?$/;

/**
 * The code with calls of `__claim(line, ...)` in place of those of console.log whose output it says.
 * @param {string} code
 * @returns {{ code: string, claims: Map<number, string> }} claims by the line of the call
 */
export function claimsIn(code) {
  const claims = new Map();
  const lines = code.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const [, indent, args] = CALL.exec(lines[i]) ?? [];
    if (args === undefined) {
      // So that no claim goes unseen.
      if (/\bconsole\.log\(/.test(lines[i])) throw new Error(`console.log has a line to itself: ${lines[i]}`);
      continue;
    }
    const said = [];
    for (let next = i + 1; /^\s*\/\/ /.test(lines[next] ?? ''); next++) {
      said.push(lines[next].replace(/^\s*\/\/ /, ''));
    }
    if (said.length === 0) continue;
    claims.set(i, said.join(' '));
    lines[i] = `${indent}__claim(${i}, ${args});`;
  }
  return { code: lines.join('\n'), claims };
}

/** What console.log prints, in one line and to the last element. */
export const printed = (args) =>
  formatWithOptions({ breakLength: Number.POSITIVE_INFINITY, maxArrayLength: null, depth: null }, ...args);

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;

/** Words, numbers and single signs. `Float32Array(6)` counts as `Float32Array`. */
const tokens = (text) =>
  text
    .replace(/\b(\w+Array)\(\d+\) ?/g, '$1 ')
    .match(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])|[\p{L}_$][\p{L}\w$-]*|[^\s]/gu) ?? [];

/** Whether the output is what the comment says. */
export function holds(claim, output) {
  const [said, got] = [tokens(claim), tokens(output)];
  return said.length === got.length && said.every((token, i) => sameToken(token, got[i]));
}

function sameToken(said, got) {
  if (!NUMBER.test(said) || !NUMBER.test(got)) return said === got;
  const [, decimals = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(said);
  const unit = 10 ** (Number(exponent) - decimals.length);
  return Math.abs(Number(said) - Number(got)) <= (unit / 2) * (1 + 1e-9);
}
