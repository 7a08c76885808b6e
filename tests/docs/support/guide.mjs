// The pages of the guide, and the code blocks in them.

import { readdirSync, readFileSync } from 'node:fs';
import { at } from '../../../scripts/lib/paths.mjs';

const FOLDER = at('docs', 'guide');

export const PAGES = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));

export const textOf = (page) => readFileSync(`${FOLDER}/${page}`, 'utf8');

/**
 * @typedef {object} CodeBlock
 * @property {string} page
 * @property {number} line the first line of the code, counted from 1
 * @property {string} language
 * @property {string | undefined} notRun why it cannot run alone, if it says so: ```js not run: needs a browser
 * @property {string} code
 */

/** @returns {CodeBlock[]} */
export function blocksOf(page) {
  const lines = textOf(page).split('\n');
  const blocks = [];
  for (let i = 0; i < lines.length; i++) {
    const opening = /^\s*```(\w*)\s*(.*)$/.exec(lines[i]);
    if (!opening) continue;
    const [, language, info] = opening;
    const end = lines.findIndex((line, at) => at > i && /^\s*```\s*$/.test(line));
    if (end < 0) throw new Error(`${page}:${i + 1}: the block has no end`);
    const [, notRun] = /^not run: (\S.*)$/.exec(info) ?? [];
    if (info && !notRun) throw new Error(`${page}:${i + 1}: '${info}', expected 'not run: ' and a reason`);
    blocks.push({ page, line: i + 2, language, notRun, code: lines.slice(i + 1, end).join('\n') });
    i = end;
  }
  return blocks;
}
