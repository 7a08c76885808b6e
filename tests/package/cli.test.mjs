// The program `layernorm` of the installed package, as users run it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { install, manifest, run } from './support/installed.mjs';

let app;
/** The entries of the installed package. */
let api;
let io;
before(async () => {
  app = install('node');
  const require = createRequire(join(app, 'package.json'));
  api = require('layernorm');
  io = require('layernorm/io');
});

const at = (...names) => join(app, ...names);
/** The link that npm makes. */
const program = () => at('node_modules', '.bin', 'layernorm');
const layernorm = (...args) => run(program(), args, { cwd: app });
/** With `layernorm` as a command, in pipes. */
const shell = (command) => run('sh', ['-c', `PATH="$PWD/node_modules/.bin:$PATH"; ${command}`], { cwd: app });

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const npy = (data, shape, dtype = 'float32') =>
  Buffer.concat([io.npyHeader({ dtype, shape }), bytesOf(data)]);
const wave = (length) => Float32Array.from({ length }, (_, i) => 3 * Math.sin(i) + 5);

/** The elements of a .npy file of float32. */
function elements(name) {
  const bytes = readFileSync(at(name));
  const { dataOffset } = io.readNpyHeader(bytes, bytes.length);
  return new Float32Array(new Uint8Array(bytes.subarray(dataOffset)).buffer);
}

describe('as a command', () => {
  test('npx layernorm', () => {
    const { status, stdout, stderr } = run('npx', ['--offline', 'layernorm', '--version'], { cwd: app });
    assert.equal(stdout, `${manifest(app).version}\n`, stderr);
    assert.equal(status, 0);
  });

  test('normalizes a file', () => {
    const x = wave(12);
    writeFileSync(at('x.npy'), npy(x, [4, 3]));
    assert.deepEqual(layernorm('normalize', 'x.npy', '-o', 'y.npy'), { status: 0, stdout: '', stderr: '' });
    assert.deepEqual(elements('y.npy'), api.layerNorm(x, { shape: [4, 3] }));
    const { status, stdout } = layernorm(
      'normalize',
      'x.npy',
      '-fo',
      'y.npy',
      '--json',
      '-m',
      'batch',
      '--threads',
      '2',
    );
    assert.equal(status, 0);
    const { seconds, peakMemoryBytes, ...summary } = JSON.parse(stdout);
    assert.deepEqual(summary, {
      ...{ input: 'x.npy', output: 'y.npy', format: 'npy', method: 'batch', rows: 4, rowShape: [3] },
      ...{ dtype: 'float32', bytesWritten: 128 + 48, threads: 2 },
    });
    assert.ok(seconds > 0 && peakMemoryBytes > 2 ** 20);
  });

  test('in pipes: .npy, .safetensors and CSV from stdin to stdout', () => {
    const x = wave(6000);
    writeFileSync(at('x.npy'), npy(x, [1000, 6]));
    const { status, stderr } = shell(
      'cat x.npy | layernorm normalize - -o - | layernorm normalize - -m unit -o - > z.npy',
    );
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const shape = [1000, 6];
    assert.deepEqual(elements('z.npy'), api.unitNorm(api.layerNorm(x, { shape }), { shape }));

    const header = io.safetensorsHeader([
      { name: 'w', dtype: 'float32', shape },
      { name: 'n', dtype: 'int8', shape: [1] },
    ]);
    writeFileSync(at('m.safetensors'), Buffer.concat([header, bytesOf(x), Buffer.of(7)]));
    shell('layernorm normalize - -o - --json < m.safetensors > m2.safetensors');
    const y = readFileSync(at('m2.safetensors'));
    assert.deepEqual(y, Buffer.concat([header, bytesOf(api.layerNorm(x, { shape })), Buffer.of(7)]));

    const csv = shell(`printf 'id,a,b\\r\\n"x,1",3,5\\r\\n' | layernorm normalize - --epsilon 0 -o -`);
    assert.equal(csv.stdout, 'id,a,b\r\n"x,1",-1,1\r\n');
  });

  test('of two passes stdin has one', () => {
    const { status, stderr } = shell('layernorm normalize - -m batch -o y2.npy < x.npy');
    // What is redirected is a stream as well: nobody knows where it began.
    assert.match(stderr, /^layernorm: stdin: can be read once only, and --method batch reads twice/);
    assert.equal(status, 2);
  });
});

describe('help', () => {
  test('of the program and of each command, on stdout', () => {
    for (const args of [[], ['normalize'], ['moments'], ['merge'], ['info']]) {
      for (const option of ['--help', '-h']) {
        const { status, stdout, stderr } = layernorm(...args, option);
        assert.match(stdout, new RegExp(`^Usage: layernorm ${args[0] ?? '<command>'} `));
        assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
        for (const line of stdout.split('\n')) assert.ok(line.length <= 120, line);
      }
    }
  });

  test('every example runs', () => {
    mkdirSync(at('help'));
    const file = (name, bytes) => writeFileSync(at('help', name), bytes);
    file('embeddings.npy', npy(wave(120), [10, 12]));
    file('images.npy', npy(wave(480), [2, 8, 5, 6]));
    const tensors = [
      { name: 'embeddings', dtype: 'float32', shape: [10, 12] },
      { name: 'gamma', dtype: 'float32', shape: [12] },
    ];
    file('model.safetensors', Buffer.concat([io.safetensorsHeader(tensors), bytesOf(wave(132))]));
    file('flowers.csv', 'a,b,c,d,kind\n1,2,3,4,x\n2,4,6,9,y\n');
    let count = 0;
    const seen = new Set();
    for (const command of ['', 'moments', 'merge', 'normalize', 'info']) {
      const { stdout } = layernorm(...command.split(' ').filter(Boolean), '--help');
      const examples = stdout.slice(stdout.indexOf('Examples:')).match(/^ {2}layernorm .*$/gm);
      assert.ok(examples.length >= 3, command);
      for (const example of examples.filter((one) => !seen.has(one))) {
        const { status, stderr } = shell(`cd help; PATH="$PWD/../node_modules/.bin:$PATH"; ${example}`);
        assert.deepEqual({ example, status, stderr }, { example, status: 0, stderr: '' });
        seen.add(example);
        count++;
      }
    }
    assert.ok(count >= 15, `${count} examples`);
    const made = readdirSync(at('help')).filter((name) => /norm|layer|unit|rms/.test(name));
    assert.equal(made.length, 8, made.join(' '));
  });
});

describe('exit codes', () => {
  for (const [what, args, code, message] of [
    ['no command', [], 2, /^layernorm: a command is missing, expected normalize, moments, merge, info$/m],
    ['another command', ['normalise'], 2, /there is no command 'normalise'/],
    ['another option', ['info', 'x.npy', '--jsno'], 2, /Unknown option '--jsno'/],
    ['no output', ['normalize', 'x.npy'], 2, /-o is missing/],
    [
      'no file',
      ['info', 'missing.npy'],
      1,
      /^layernorm: missing.npy: no such file or directory \(ENOENT\)$/m,
    ],
    ['a folder', ['info', 'node_modules'], 2, /node_modules: is a directory, expected a file \(EISDIR\)/],
    [
      'a full disk',
      ['normalize', 'x.npy', '-o', '/dev/full'],
      1,
      /\/dev\/full: no space left on device \(ENOSPC\)/,
    ],
    [
      'an error of the package',
      ['normalize', 'x.npy', '-o', 'n.npy', '--axis', '5'],
      1,
      /layerNorm: axis 5 is out of bounds/,
    ],
    [
      'damaged bytes',
      ['info', 'package.json', '--header'],
      1,
      /package.json: line 1, column 2: text follows/,
    ],
  ]) {
    test(`${code} for ${what}`, () => {
      const { status, stdout, stderr } = layernorm(...args);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /); // no stack
      assert.deepEqual({ status, stdout }, { status: code, stdout: '' });
    });
  }

  test('1 for a reader that has gone', async () => {
    writeFileSync(at('long.csv'), 'a,b\n'.concat('1.5,2\n'.repeat(400_000)));
    const child = spawn(program(), ['normalize', 'long.csv', '-o', '-'], { cwd: app });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'close');
    assert.equal(stderr, 'layernorm: stdout: broken pipe (EPIPE): nobody reads it any longer\n');
    assert.equal(code, 1);
  });
});

describe('signals', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    test(`${signal} ends it with ${code}, and leaves nothing`, async () => {
      const folder = at(signal);
      mkdirSync(folder);
      const child = spawn(program(), ['normalize', '-', '-o', 'y.npy'], { cwd: folder });
      // More than one block, so that something has been written; and more to come.
      const rows = 5000;
      child.stdin.on('error', () => {});
      child.stdin.write(io.npyHeader({ dtype: 'float32', shape: [2 * rows, 1000] }));
      child.stdin.write(bytesOf(wave(rows * 1000)));
      while (!readdirSync(folder).some((name) => name.endsWith('.partial'))) {
        assert.equal(child.exitCode, null);
        await sleep(20);
      }
      child.kill(signal);
      const [status] = await once(child, 'close');
      assert.equal(status, code);
      assert.deepEqual(readdirSync(folder), []);
    });
  }
});

describe('memory', () => {
  /** Bytes of the files: several times what the program may take. */
  const FILE_BYTES = 300 * 2 ** 20;
  /** Most of it is Node itself. */
  const MOST = 130 * 2 ** 20;
  const COLUMNS = 768;
  const ROWS = Math.floor(FILE_BYTES / 4 / COLUMNS);
  /** Rows with numbers: at both ends, and around the ends of blocks, wherever they are. The others are zeros, which take no place. */
  const KNOWN = [0, 1, 1364, 1365, 1366, 2729, 2730, 2731, 50_000, ROWS - 1];
  const data = () => io.npyHeader({ dtype: 'float32', shape: [ROWS, COLUMNS] }).length;
  const rowOf = (row) => wave(COLUMNS).map((value) => value + row);

  before(() => {
    const file = openSync(at('large.npy'), 'w');
    writeSync(file, io.npyHeader({ dtype: 'float32', shape: [ROWS, COLUMNS] }));
    for (const row of KNOWN) writeSync(file, bytesOf(rowOf(row)), 0, COLUMNS * 4, data() + row * COLUMNS * 4);
    closeSync(file);
  });

  function normalizeLarge(...options) {
    const { status, stdout, stderr } = layernorm(
      'normalize',
      'large.npy',
      '-fo',
      'large-y.npy',
      '--json',
      ...options,
    );
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const { peakMemoryBytes, rows } = JSON.parse(stdout);
    console.log(`${options.join(' ')}: ${(peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`);
    assert.equal(rows, ROWS);
    assert.ok(peakMemoryBytes < MOST, `${peakMemoryBytes} bytes for ${options.join(' ')}`);
  }

  test('layer normalization of a file of 300 MiB', () => {
    normalizeLarge('--method', 'layer');
    const file = openSync(at('large-y.npy'), 'r');
    const row = (index) => {
      const y = new Float32Array(COLUMNS);
      assert.equal(readSync(file, y, 0, COLUMNS * 4, data() + index * COLUMNS * 4), COLUMNS * 4);
      return y;
    };
    for (const index of KNOWN) assert.deepEqual(row(index), api.layerNorm(rowOf(index)));
    for (const index of [2, 1363, 1367, ROWS - 2]) assert.deepEqual(row(index), new Float32Array(COLUMNS));
    closeSync(file);
  });

  test('batch normalization to 16 bits, which reads it twice', () => {
    normalizeLarge('--method', 'batch', '--dtype', 'float16');
    for (const name of ['large.npy', 'large-y.npy']) rmSync(at(name));
  });
});
