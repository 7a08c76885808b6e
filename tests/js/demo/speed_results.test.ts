// What is made of the rounds: rows, and the text that is copied.

import type { Finding } from '../../../web-demo/src/speed/protocol.js';
import {
  begin,
  callRows,
  isUnsteady,
  type Kind,
  type Measured,
  report,
  roundsText,
  scalingRows,
  shapeRows,
  sweepRows,
  withFinding,
} from '../../../web-demo/src/speed/results.js';
import { DEFAULTS } from '../../../web-demo/src/speed/settings.js';

const settings = { ...DEFAULTS, rows: 1000, columns: 125 }; // a call moves 1 MB
const MACHINE = { userAgent: 'A browser', processors: 8, isIsolated: true };

function measured(
  kind: Kind,
  findings: object[],
  state: Measured['state'] = 'complete',
  sizes: Measured['sizes'] = [],
) {
  const engine = {
    kind: 'engine',
    engine: { version: '9.9.9', variant: 'simd', threads: 1, reason: 'one was enough', clockStep: 0.005 },
  };
  const all = [engine, ...findings].map((finding) => ({ run: 1, ...finding }) as Finding);
  return { ...all.reduce(withFinding, begin(kind, settings, sizes)), state };
}

const round = (series: string, times: Record<string, number>, rounds = 3) => ({
  kind: 'round',
  series,
  times,
  rounds,
});

const run = () =>
  measured('run', [
    { kind: 'checked', errors: { tensor: 1.5, array: 1.5, loop: 0.75 } },
    round('shape', { copy: 0.02, loop: 1, tensor: 0.1, array: 0.4 }),
    round('shape', { tensor: 0.2, copy: 0.04, array: 0.4, loop: 1 }),
    round('shape', { array: 0.4, tensor: 0.1, loop: 2, copy: 0.02 }),
    round('call', { loop: 0.00001, tensor: 0.0005, array: 0.001 }, 1),
  ]);

test('the rows have an order, medians, and speeds that are the bytes over the time', () => {
  const rows = shapeRows(run());
  expect(rows.map(({ name }) => name)).toEqual(['tensor', 'array', 'loop', 'copy']);
  expect(rows.map(({ milliseconds }) => milliseconds)).toEqual([0.1, 0.4, 1, 0.02]);
  for (const { milliseconds, speed, ratio } of rows) {
    expect(speed.median).toBeCloseTo(1 / milliseconds, 10);
    expect(ratio).toBeCloseTo(milliseconds / 0.1, 10);
    expect(speed.low).toBeLessThanOrEqual(speed.median);
    expect(speed.high).toBeGreaterThanOrEqual(speed.median);
  }
  // Speeds of 10, 5 and 10 GB/s.
  expect(rows[0]?.speed).toEqual({ median: 10, low: 7.5, high: 10 });
  expect(callRows(run()).map(({ name, milliseconds }) => [name, milliseconds])).toEqual([
    ['tensor', 0.0005],
    ['array', 0.001],
    ['loop', 0.00001],
  ]);
});

test('where two rounds are in the middle, the speed is that of their mean time', () => {
  const rows = shapeRows(measured('run', [round('shape', { tensor: 1 }), round('shape', { tensor: 3 })]));
  expect(rows[0]?.milliseconds).toBe(2);
  expect(rows[0]?.speed.median).toBe(0.5);
});

test('rounds that differ widely are said to', () => {
  const times = (one: number) => round('shape', { tensor: one });
  expect(isUnsteady(shapeRows(measured('run', [1, 1.1, 1.2].map(times))))).toBe(false);
  expect(isUnsteady(shapeRows(measured('run', [1, 2, 3].map(times))))).toBe(true);
});

test('the copied text has the same numbers', () => {
  const text = report([run()], MACHINE);
  expect(text).toBe(`layernorm 9.9.9: speed in the browser
A browser
8 logical processors; cross-origin isolated: yes; clock in steps of 5 µs
GB/s: bytes of x read and of y written, over the median time of a call. Measured in turn, in random order.

layerNorm, 1,000 × 125 float32, 1 thread (simd; one was enough)
Medians of 3 rounds.
1 MB read and written by a call
            GB/s  middle half  time of a call  time / Tensor     error
Tensor        10    7.5 to 10          100 µs              1   1.5 ulp
Array        2.5   2.5 to 2.5          400 µs              4   1.5 ulp
Plain loop     1    0.75 to 1            1 ms             10  0.75 ulp
memcpy        50   37.5 to 50           20 µs            0.2         –
A call on a single number: Tensor 0.5 µs, Array 1 µs, Plain loop 0.01 µs
`);
});

test('sizes have rows as they come, and what was cancelled is said to be partial', () => {
  const sizes = [4096, 8192, 16384].map((bytes) => ({ rows: bytes / 2048, columns: 512, bytes }));
  const sweep = measured(
    'sweep',
    [round('0', { tensor: 0.008192 }), round('1', { tensor: 0.004096 })],
    'partial',
    sizes,
  );
  expect(sweepRows(sweep).map(({ bytes, of }) => [bytes, of[0]?.speed.median])).toEqual([
    [4096, 1],
    [8192, 4],
  ]);
  expect(roundsText(sweep)).toBe('Medians of 1 rounds for each size. Partial: cancelled after 2 of 3 sizes.');
  expect(report([sweep], MACHINE)).toMatch(/size of x {2}Tensor, GB\/s\n4 KiB .* 1\n8 KiB .* 4\n$/);
});

test('a run that was cancelled says after how many rounds', () => {
  const one = round('shape', { tensor: 1 });
  expect(roundsText(measured('run', [one, one], 'partial'))).toBe(
    'Medians of 2 rounds. Partial: cancelled after 2 of 3.',
  );
  expect(roundsText(measured('run', [one, one, one], 'partial'))).toMatch(/cancelled before the end/);
  expect(roundsText(measured('run', [one, one, one]))).toBe('Medians of 3 rounds.');
});

test('threads are in the order of their number, beside one', () => {
  const rows = scalingRows(measured('scaling', [round('threads', { 10: 0.25, 2: 0.5, 1: 1 })]));
  expect(rows.map(({ name, ratio }) => [name, ratio])).toEqual([
    ['1', 1],
    ['2', 0.5],
    ['10', 0.25],
  ]);
});
