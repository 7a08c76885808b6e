import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { discardUnfinished, openOutput, StreamOutput, writeOutput } from '../../../js/src/cli/output.js';
import { expectFailure, temporaryFolder } from '../support/cli.js';

const base = temporaryFolder();
let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(base, `${count++}`);
  mkdirSync(folder);
});
const at = (name: string) => join(folder, name);

test('a file that got the name meanwhile is kept', async () => {
  const writing = writeOutput(at('y'), false, async (output) => {
    await output.write(Buffer.from('abc'));
    writeFileSync(at('y'), 'precious');
  });
  await expectFailure(writing, /y: file already exists \(EEXIST\)$/);
  expect(readFileSync(at('y'), 'utf8')).toBe('precious');
  expect(readdirSync(folder)).toEqual(['y']);
});

test('a file is there when it is complete, and not before', async () => {
  const output = openOutput(at('y'), false);
  await output.write(Buffer.from('abc'));
  await output.write(Buffer.from('de'));
  expect(existsSync(at('y'))).toBe(false);
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.y\.[\da-f-]+\.partial$/)]);
  expect(output.position).toBe(5);
  output.commit();
  output.discard();
  expect(readdirSync(folder)).toEqual(['y']);
  expect(readFileSync(at('y'), 'utf8')).toBe('abcde');
});

test('what fails leaves nothing, and what was there before', async () => {
  writeFileSync(at('y'), 'before');
  const fail = writeOutput(at('y'), true, async (output) => {
    await output.write(Buffer.from('half'));
    throw new Error('no');
  });
  await expect(fail).rejects.toThrow('no');
  expect(readdirSync(folder)).toEqual(['y']);
  expect(readFileSync(at('y'), 'utf8')).toBe('before');
});

test('the end of the process leaves nothing', async () => {
  const output = openOutput(at('y'), false);
  await output.write(Buffer.from('half'));
  discardUnfinished();
  expect(readdirSync(folder)).toEqual([]);
  output.discard();
});

test('a file that is there is replaced if that is wanted, and keeps its permissions', async () => {
  writeFileSync(at('y'), 'before');
  chmodSync(at('y'), 0o600);
  expect(() => openOutput(at('y'), false)).toThrow(
    /: there is a file of this name already: --force replaces it \(EEXIST\)$/,
  );
  expect(await writeOutput(at('y'), true, (output) => output.write(Buffer.from('after')))).toBe(5);
  expect(readFileSync(at('y'), 'utf8')).toBe('after');
  expect(statSync(at('y')).mode & 0o777).toBe(0o600);
});

test('a link stays one', async () => {
  mkdirSync(at('elsewhere'));
  writeFileSync(at('elsewhere/y'), 'before');
  symlinkSync('elsewhere/y', at('link'));
  await writeOutput(at('link'), true, (output) => output.write(Buffer.from('after')));
  expect(readlinkSync(at('link'))).toBe('elsewhere/y');
  expect(readFileSync(at('elsewhere/y'), 'utf8')).toBe('after');
  expect(readdirSync(at('elsewhere'))).toEqual(['y']);
});

test('a device is written to as it is', async () => {
  expect(await writeOutput('/dev/null', false, (output) => output.write(Buffer.from('gone')))).toBe(4);
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test('a full disk is told, and leaves nothing', async () => {
  await expectFailure(
    writeOutput('/dev/full', false, (output) => output.write(Buffer.from('x'))),
    '/dev/full: no space left on device (ENOSPC)',
  );
});

test('where no file can be', () => {
  expect(() => openOutput(folder, true)).toThrow(
    `${folder}: is a directory, expected a name for a file (EISDIR)`,
  );
  expect(() => openOutput(at('a/b'), false)).toThrow(`${at('a/b')}: no such file or directory (ENOENT)`);
  writeFileSync(at('file'), '');
  expect(() => openOutput(at('file/b'), false)).toThrow(/not a directory \(ENOTDIR\)$/);
});

test('a stream: what was written has been taken, and errors have words', async () => {
  const taken: string[] = [];
  const slow = new Writable({
    write: (chunk, _, done) => setImmediate(() => done(taken.push(`${chunk}`) > 2 ? brokenPipe() : null)),
  });
  const brokenPipe = () => Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32 });
  const output = new StreamOutput('stdout', slow);
  await output.write(Buffer.from('a'));
  expect(taken).toEqual(['a']);
  await output.write(Buffer.from('b'));
  expect(output.position).toBe(2);
  await expectFailure(
    output.write(Buffer.from('c')),
    'stdout: broken pipe (EPIPE): nobody reads it any longer',
  );
});
