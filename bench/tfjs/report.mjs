// The table of run.mjs.

import { digits3, spreadText, table } from '../lib/table.mjs';

const COLUMNS = { own: 'TF.js', patched: 'patched', composite: 'composite', none: 'without' };

/**
 * @param {{ where: string, backend: string, version: string, rows: object[] }[]} results rows are those of measureRow, or have a
 *   label and a failure
 */
export function report(results) {
  return results
    .map(({ where, backend, version, rows }) => {
      const cells = rows.map(({ label, failure, ms, ratios }) =>
        failure
          ? [label, `failed: ${failure}`]
          : [
              label,
              digits3(ms),
              ...Object.keys(COLUMNS).map((name) => (ratios[name] ? spreadText(ratios[name]) : '-')),
            ],
      );
      const header = ['', 'layernorm, ms', ...Object.values(COLUMNS)];
      return `${where}, TensorFlow.js ${version}, ${backend}\n${table([header, ...cells], 2)}`;
    })
    .join('\n\n');
}
