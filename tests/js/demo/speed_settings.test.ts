// What can be measured, its part of the address, and the limits of memory.

import {
  BYTES,
  bytesMoved,
  bytesNeeded,
  DEFAULTS,
  formatSettings,
  memoryLimit,
  parseSettings,
  problemOf,
  type Settings,
  sweepSizes,
  threadSteps,
} from '../../../web-demo/src/speed/settings.js';

const none = { op: undefined, shape: undefined, dtype: undefined, threads: undefined };

test('an address without values has the defaults, and the defaults write none', () => {
  expect(parseSettings(none)).toEqual(DEFAULTS);
  expect(formatSettings(DEFAULTS)).toEqual(none);
});

test('what is written is read', () => {
  const settings: Settings = { operation: 'batch', rows: 7, columns: 300, dtype: 'bfloat16', threads: 3 };
  const written = formatSettings(settings);
  expect(written).toEqual({ op: 'batch', shape: '7x300', dtype: 'bfloat16', threads: '3' });
  expect(parseSettings(written)).toEqual(settings);
});

test.each([
  { op: 'constructor' },
  { op: 'group' },
  { shape: '0x4' },
  { shape: '4' },
  { shape: '-1x4' },
  { shape: '4x4x4' },
  { shape: '1e3x4' },
  { shape: '99999999999x1' },
  { dtype: 'int8' },
  { threads: '0' },
  { threads: '33' },
  { threads: '1.5' },
  { threads: 'all' },
])('%j falls back to the default', (bad) => {
  expect(parseSettings({ ...none, ...bad })).toEqual(DEFAULTS);
});

describe('memory', () => {
  const MIB = 2 ** 20;

  test('a call moves x and y; threads take a memory of their own', () => {
    expect(bytesMoved({ rows: 3, columns: 5, dtype: 'float64' })).toBe(240);
    const shape = { rows: 1, columns: 1, dtype: 'float32' } as const;
    expect(bytesNeeded({ ...shape, threads: 1 })).toBe(16);
    expect(bytesNeeded({ ...shape, threads: 2 })).toBe(24);
  });

  test('the limit is a quarter of what there is, and no more than 2 GiB', () => {
    expect(memoryLimit(1)).toBe(256 * MIB);
    expect(memoryLimit(undefined)).toBe(1024 * MIB);
    expect(memoryLimit(64)).toBe(2048 * MIB);
  });

  test('what fits has no problem, one row more has one that says how many fit', () => {
    const settings = { ...DEFAULTS, rows: 1024, columns: 256 };
    expect(problemOf(settings, 4 * MIB)).toBeUndefined();
    expect(problemOf({ ...settings, rows: 1025 }, 4 * MIB)).toMatch(
      /1,025 × 256 of float32 is 1\.05 MB\. .* 4\.2 MB .* no more than 4\.19 MB here\. With 256 columns there is room for 1,024 rows\./,
    );
    expect(problemOf({ ...settings, columns: 2 * MIB }, 4 * MIB)).toMatch(/Take fewer columns\.$/);
  });

  test.each([Number.NaN, 0, -3, 1.5])('%p rows are none', (rows) => {
    expect(problemOf({ ...DEFAULTS, rows }, MIB)).toBe('Rows: a whole number from 1 on is needed.');
    expect(problemOf({ ...DEFAULTS, columns: rows }, MIB)).toBe(
      'Columns: a whole number from 1 on is needed.',
    );
  });

  test.each(Object.keys(BYTES) as Settings['dtype'][])(
    'the sweep of %s has whole rows, as far as memory goes',
    (dtype) => {
      const all = sweepSizes({ ...DEFAULTS, dtype }, 2048 * MIB);
      expect(all.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 15 }, (_, i) => 4096 * 2 ** i));
      for (const { rows, columns, bytes } of all) {
        expect(Number.isInteger(rows)).toBe(true);
        expect(rows * columns * BYTES[dtype]).toBe(bytes);
      }
      expect(sweepSizes({ ...DEFAULTS, dtype }, 4 * MIB).at(-1)?.bytes).toBe(MIB);
    },
  );
});

test('few numbers of threads are compared one by one, many in steps, the largest always', () => {
  expect(threadSteps(2)).toEqual([1, 2]);
  expect(threadSteps(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(threadSteps(13)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13]);
});
