// A dot plot for the README: a line for each shape, a dot for each candidate, on a logarithmic axis. It follows the colour
// scheme of whoever looks at it.

const WIDTH = 760;
const LEFT = 92;
const RIGHT = 24;
const ROW = 24;
const LEGEND_ROW = 20;
const LEGEND_COLUMNS = 3;
const RADIUS = 4.5;

/** What is drawn, from back to front. Light and dark colours have a contrast of 3 : 1 or more with their background. */
export const SERIES = [
  { name: 'plain', label: 'plain JavaScript loop', light: '#6e7781', dark: '#8b949e' },
  { name: 'ort-web', label: 'onnxruntime-web', light: '#8250df', dark: '#bc8cff' },
  { name: 'tfjs', label: 'TensorFlow.js, wasm', light: '#bf3989', dark: '#f778ba' },
  { name: 'ort-node', label: 'onnxruntime-node', light: '#1a7f37', dark: '#3fb950' },
  { name: 'pytorch', label: 'PyTorch', light: '#9a6700', dark: '#d29922' },
  { name: 'onednn', label: 'oneDNN', light: '#0969da', dark: '#58a6ff' },
  { name: 'layernorm', label: 'layernorm', light: '#cf222e', dark: '#ff7b72' },
];

const escaped = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

/**
 * @typedef {object} Plot
 * @property {string} title
 * @property {string} subtitle
 * @property {{ label: string, points: Record<string, { median: number, q1: number, q3: number }> }[]} rows GB/s by series
 */

/** Round numbers that hold all values between them: 1, 2 and 5 times powers of ten at most. */
export function ticksFor(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  const first = ticks.findLastIndex((tick) => tick <= low);
  const last = ticks.findIndex((tick) => tick >= high);
  return ticks.slice(Math.max(first, 0), last + 1);
}

/** @param {Plot} plot */
export function drawPlot({ title, subtitle, rows }) {
  const shown = SERIES.filter(({ name }) => rows.some(({ points }) => points[name]));
  const values = rows.flatMap(({ points }) => shown.flatMap(({ name }) => points[name]?.median ?? []));
  if (values.length === 0) throw new RangeError('--svg: there is nothing to draw');
  const ticks = ticksFor(Math.min(...values), Math.max(...values));
  const [low, high] = [ticks[0], ticks.at(-1)].map(Math.log);
  const width = WIDTH - LEFT - RIGHT;
  const x = (value) => {
    const part = (Math.log(value) - low) / (high - low || 1);
    return (LEFT + width * Math.min(1, Math.max(0, part))).toFixed(1);
  };

  const legendTop = 62;
  const top = legendTop + Math.ceil(shown.length / LEGEND_COLUMNS) * LEGEND_ROW + 12;
  const bottom = top + rows.length * ROW;
  const height = bottom + 44;

  const legend = [...shown].reverse().map(({ name, label }, i) => {
    const left = LEFT + (i % LEGEND_COLUMNS) * (width / LEGEND_COLUMNS);
    const y = legendTop + Math.floor(i / LEGEND_COLUMNS) * LEGEND_ROW;
    return `<circle class="${name}" cx="${left.toFixed(1)}" cy="${y}" r="${RADIUS}"/><text x="${(left + 10).toFixed(1)}" y="${y + 4}">${escaped(label)}</text>`;
  });
  const axis = ticks.map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${top}" y2="${bottom}"/><text class="middle" x="${x(tick)}" y="${bottom + 18}">${tick}</text>`,
  );
  const lines = rows.flatMap(({ label, points }, i) => {
    const y = top + (i + 0.5) * ROW;
    const dots = shown.flatMap(({ name, label: series }) => {
      const point = points[name];
      if (!point) return [];
      const said = `${label}, ${series}: ${point.median.toPrecision(3)} GB/s`;
      return [
        `<line class="${name}" x1="${x(point.q1)}" x2="${x(point.q3)}" y1="${y}" y2="${y}"/>`,
        `<circle class="${name}" cx="${x(point.median)}" cy="${y}" r="${RADIUS}"><title>${escaped(said)}</title></circle>`,
      ];
    });
    const row = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`;
    return [row, `<text class="end" x="${LEFT - 12}" y="${y + 4}">${escaped(label)}</text>`, ...dots];
  });
  const colours = (scheme) =>
    shown.map(({ name, ...series }) => `.${name}{fill:${series[scheme]};stroke:${series[scheme]}}`).join('');

  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
<title id="title">${escaped(`${title}. ${subtitle}`)}</title>
<style>
text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}.quiet,.middle{fill:#59636e}
.end{text-anchor:end}.middle{text-anchor:middle}line{stroke-width:2}.grid{stroke:#d1d9e0;stroke-width:1}${colours('light')}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet,.middle{fill:#9198a1}.grid{stroke:#3d444d}${colours('dark')}}
</style>
<text class="title" x="${LEFT}" y="22">${escaped(title)}</text>
<text class="quiet" x="${LEFT}" y="41">${escaped(subtitle)}</text>
${[...legend, ...axis, ...lines].join('\n')}
<text class="middle" x="${LEFT + width / 2}" y="${bottom + 36}">GB/s, logarithmic: to the right is faster</text>
</svg>
`;
}

/**
 * The headline shapes of a run.
 * @param {object} result of worker.mjs
 */
export function plotOf(result) {
  const rows = (result.operations?.rows ?? []).filter(({ headline }) => headline);
  return {
    title: 'Layer normalization of float32 rows, one thread',
    subtitle: `Node ${result.node} on ${result.cpu}; x is read once and y written once; bars span the quartiles`,
    rows: rows.map(({ label, bytes, cells }) => {
      const speed = (ms) => bytes / ms / 1e6;
      const measured = Object.entries(cells).filter(([, { ms, failure }]) => ms && !failure);
      const points = measured.map(([name, { ms }]) => [
        name,
        { median: speed(ms.median), q1: speed(ms.q3), q3: speed(ms.q1) },
      ]);
      return { label, points: Object.fromEntries(points) };
    }),
  };
}
