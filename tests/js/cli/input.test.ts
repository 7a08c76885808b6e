import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Input, openInput } from '../../../js/src/cli/input.js';
import { expectFailure, fileOf, streamOf, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const read = async (input: Input, length: number) => {
  const bytes = new Uint8Array(length);
  return text(bytes.subarray(0, await input.read(bytes)));
};
const LETTERS = Buffer.from('abcdefghijklmnopqrstuvwxyz');

test.each([
  ['a file', () => fileOf(LETTERS)],
  ['a file that gives few bytes at once', () => fileOf(LETTERS, 2)],
  ['a stream', () => streamOf(LETTERS)],
])('%s: looks ahead, reads, skips', async (_, make) => {
  const input = make();
  expect(text(await input.peek(3))).toBe('abc');
  expect(text(await input.peek(12))).toBe('abcdefghijkl');
  expect(input.position).toBe(0);
  expect(await read(input, 5)).toBe('abcde');
  expect(text(await input.peek(2))).toBe('fg');
  expect(await read(input, 10)).toBe('fghijklmno');
  expect(input.position).toBe(15);
  await input.seek(20);
  expect(await read(input, 3)).toBe('uvw');
  expect(text(await input.peek(9))).toBe('xyz');
  expect(await read(input, 9)).toBe('xyz');
  expect(await read(input, 9)).toBe('');
  expect(input.position).toBe(26);
  await input.seek(30);
  expect(await read(input, 1)).toBe('');
  await input.close();
});

test('everything that follows', async () => {
  const long = Buffer.alloc(2 ** 21 + 5, 'abc');
  for (const input of [fileOf(long), streamOf(long, 100_000)]) {
    await read(input, 3);
    expect(Buffer.compare(await input.rest(), long.subarray(3))).toBe(0);
    expect(await input.rest()).toHaveLength(0);
  }
});

test('a file can be read again', async () => {
  const path = join(folder, 'letters');
  writeFileSync(path, LETTERS);
  const input = await openInput(path);
  expect(input.size).toBe(26);
  expect(await read(input, 26)).toBe(text(LETTERS));
  await input.seek(3);
  expect(await read(input, 2)).toBe('de');
  await input.close();
});

test('a named pipe is a stream', async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  createWriteStream(path).end(LETTERS);
  const input = await openInput(path);
  expect(input.size).toBeUndefined();
  expect(await read(input, 100)).toBe(text(LETTERS));
  await input.close();
});

test('what is no file', async () => {
  const missing = join(folder, 'missing');
  await expectFailure(openInput(missing), `${missing}: no such file or directory (ENOENT)`);
  const path = join(folder, 'folder');
  mkdirSync(path);
  await expectFailure(openInput(path), `${path}: is a directory, expected a file (EISDIR)`, 2);
});
