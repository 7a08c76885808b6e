import { BASE } from './compare.mjs';
import { digits3, spreadText, table } from './table.mjs';

export function report(results) {
  const lines = [];
  for (const result of results) {
    const names = [...new Set(result.rows.flatMap(({ cells }) => Object.keys(cells)))].filter(
      (n) => n !== BASE,
    );
    const rows = [['', `${BASE} GB/s`, ...names]];
    for (const { label, bytes, cells } of result.rows) {
      const base = cells[BASE];
      rows.push([
        label,
        base.ms ? digits3(bytes / base.ms.median / 1e6) : base.failure,
        ...names.map((name) => cellText(cells[name])),
      ]);
    }
    lines.push(`Node ${result.node}`, table(rows));
  }
  return lines.join('\n');
}

const cellText = (cell) => {
  if (!cell) return '-';
  if (cell.failure) return 'failed';
  return cell.ratio ? spreadText(cell.ratio) + (cell.wrong ? '!' : '') : '';
};
