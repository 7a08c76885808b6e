// Puts the results of several processes together. A process keeps a state of its own, such as where its memory lies, so the
// rounds of one alone agree with each other better than they should.

import { BASE } from './compare.mjs';
import { ratios, summary } from './statistics.mjs';

/**
 * @param {object[]} results of worker.mjs, from the same job in the same Node
 * @returns {object} a result with the rounds of all; sections without rounds are those of the first
 */
export function merge(results) {
  const [first] = results;
  if (results.length === 1 || !first.operations) return first;
  const rows = first.operations.rows.map((row, i) => {
    const same = results.map(({ operations }) => operations.rows[i].cells);
    const names = new Set(same.flatMap((cells) => Object.keys(cells)));
    return { ...row, cells: Object.fromEntries([...names].map((name) => [name, mergeCells(name, same)])) };
  });
  return { ...first, processes: results.length, operations: { ...first.operations, rows } };
}

function mergeCells(name, all) {
  // A failure in one process is told: it is not made up for by the others.
  const failed = all.find((cells) => cells[name]?.failure);
  if (failed) return failed[name];
  const measured = all.filter((cells) => cells[name]?.times && cells[BASE]?.times);
  if (measured.length === 0) return all.find((cells) => cells[name])[name];
  const times = measured.flatMap((cells) => cells[name].times);
  const base = measured.flatMap((cells) => cells[BASE].times);
  return {
    ...measured[0][name],
    error: Math.max(...measured.map((cells) => cells[name].error)),
    times,
    ms: summary(times.filter((time) => time !== null)),
    ...(name !== BASE && {
      ratio: ratios(times, base),
      ratioOfEach: measured.map((cells) => cells[name].ratio?.median),
    }),
  };
}
