import { jest } from '@jest/globals';
import { Progress, RowProgress, sizeText } from '../../../js/src/cli/progress.js';

/** A progress whose clock is set by hand, and all that it writes. */
function watched(isTTY: boolean, total?: number, quiet = false) {
  const written: string[] = [];
  let time = 1000;
  const progress = new Progress({
    ...{ label: 'normalize', total, quiet, now: () => time },
    screen: { isTTY, write: (text) => written.push(text) },
  });
  const update = (milliseconds: number, bytes: number) => {
    time = 1000 + milliseconds;
    progress.update(bytes);
    return written.splice(0).join('');
  };
  return { progress, update, written };
}

test('a bar on a terminal, at most ten times a second, which goes in the end', () => {
  const { progress, update, written } = watched(true, 4e9);
  expect(update(50, 1e8)).toBe('');
  expect(update(1000, 1e9)).toBe(
    '\r\u001b[Knormalize [######..................] 25 % of 4 GB, 1 GB/s, 3 s left',
  );
  expect(update(1050, 1.1e9)).toBe('');
  expect(update(100_000, 2e9)).toMatch(/50 % of 4 GB, 20 MB\/s, 1 min 40 s left$/);
  progress.clear();
  expect(written.splice(0)).toEqual(['\r\u001b[K']);
  progress.clear();
  expect(written).toEqual([]);
});

test('of what has no size, how much and how fast', () => {
  expect(watched(true).update(2000, 3e6)).toBe('\r\u001b[Knormalize 3 MB, 1.5 MB/s');
});

test('elsewhere a line after ten seconds, and then every thirty', () => {
  const { progress, update, written } = watched(false, 1e9);
  expect(update(9_000, 1e8)).toBe('');
  expect(update(10_000, 1e8)).toBe(
    'layernorm: normalize 10 % of 1 GB, 10 MB/s, 90 s left\n'.replace('90 s', '1 min 30 s'),
  );
  expect(update(39_000, 3e8)).toBe('');
  expect(update(40_000, 4e8)).toMatch(/^layernorm: normalize 40 % .*\n$/);
  progress.clear();
  expect(written).toEqual([]);
});

test('quiet', () => {
  const { progress, update, written } = watched(true, 1e9, true);
  expect(update(60_000, 5e8)).toBe('');
  progress.clear();
  expect(written).toEqual([]);
});

test('an empty file is done', () => {
  expect(watched(true, 0).update(1000, 0)).toMatch(/\[#{24}\] 100 % of 0 B, 0 B\/s, \? left$/);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1536, '1.54 kB'],
  [999_999, '1 MB'],
  [2_147_481_728, '2.15 GB'],
  [3e15, '3000 TB'],
])('%d bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));

test('of rows, those that are read count', () => {
  const clock = jest.spyOn(performance, 'now');
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const shown = (rowBytes: number | undefined, from: number, to: number) => {
    clock.mockReturnValue(0);
    const input = { size: 4000, position: 1000 };
    const progress = new RowProgress('rows', { input: input as never, rowBytes }, { from, to }, false);
    clock.mockReturnValue(20_000);
    progress.advance(1);
    progress.advance(1);
    expect(progress.rows).toBe(2);
    return write.mock.calls.splice(0).join('');
  };
  try {
    expect(shown(100, 5, 9)).toMatch(/rows 25 % of 400 B/);
    expect(shown(undefined, 0, Number.POSITIVE_INFINITY)).toMatch(/rows 25 % of 4 kB/);
    expect(shown(undefined, 3, 9)).toMatch(/rows 1 kB, 50 B\/s/);
  } finally {
    clock.mockRestore();
    write.mockRestore();
  }
});
