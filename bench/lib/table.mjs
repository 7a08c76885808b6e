/**
 * Columns as wide as their widest cell, the first flush left and the others flush right.
 * @param {string[][]} rows
 * @param {number} indent
 */
export function table(rows, indent = 0) {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return rows.map((row) => ' '.repeat(indent) + line(row).trimEnd()).join('\n');
}

/** Three significant digits, never as an exponent: 0.0812, 1.03, 27.4, 1250. */
export function digits3(value) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const rounded = Number(value.toPrecision(3));
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return rounded.toFixed(Math.min(decimals, 6));
}

/** Two decimals for ratios near 1, fewer digits for large ones. */
export const ratioText = (value) =>
  value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);

/** "1.03 1.01-1.05": the median and the quartiles. */
export const spreadText = ({ median, q1, q3 }) => `${ratioText(median)} ${ratioText(q1)}-${ratioText(q3)}`;
