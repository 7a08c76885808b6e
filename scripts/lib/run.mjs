// Runs commands and shows that they are alive: one line a step with its elapsed time. What a command prints goes to a log
// file and is shown only when the command fails, but for those whose output is the point.

import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  createWriteStream,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { at, root, shown } from './paths.mjs';

/** A failure whose message says all that the user needs; shown without a stack trace. */
export class StepError extends Error {}

/** How much of a failed command's output is shown: causes stand at its beginning or at its end. */
const HEAD_LINES = 20;
const TAIL_LINES = 40;
/** Commands with many files are cut in the output after this many characters. */
const MAX_SHOWN = 160;
/** Without a terminal a step that takes long adds its time to its line this often: enough to see life in a log. */
const HEARTBEAT_SECONDS = 20;

/**
 * Shows `label ... 12 s` while `work` runs.
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 */
export async function step(label, work) {
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(0)} s`;
  const terminal = process.stdout.isTTY;
  process.stdout.write(`${label} ...`);
  const timer = terminal
    ? setInterval(() => process.stdout.write(`\r${label} ... ${seconds()}`), 1000)
    : setInterval(() => process.stdout.write(` ${seconds()} ...`), HEARTBEAT_SECONDS * 1000);
  try {
    const result = await work();
    process.stdout.write(terminal ? `\r${label} ... ${seconds()}\n` : ` ${seconds()}\n`);
    return result;
  } catch (error) {
    process.stdout.write(' failed\n');
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/**
 * Runs a command to its end as one step; throws a StepError with the end of its output when it fails.
 * @param {string} label what the step is called in the output and, made a file name, its log
 * @param {string[]} command program and arguments
 * @param {{ cwd?: string, env?: Record<string, string> }} options `env` is added to this process's
 */
export async function run(label, command, { cwd = root, env = {} } = {}) {
  mkdirSync(at('.cache', 'logs'), { recursive: true });
  const logPath = at('.cache', 'logs', `${label.replace(/[^\w.-]+/g, '_')}.log`);
  const log = createWriteStream(logPath);
  log.write(`$ ${command.join(' ')}\n`);
  await step(label, async () => {
    const child = start(command, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const { code, error } = await exitOf(child);
    log.end(error ? `${error.message}\n` : '');
    await finished(log);
    if (code === 0) return;
    const failure = `${label}: ${command[0]} ended with ${code} (all output: ${shown(logPath)})`;
    throw new StepError(`${excerpt(logPath)}\n\n${failure}`);
  });
}

function excerpt(logPath) {
  const lines = readFileSync(logPath, 'utf8').trimEnd().split('\n');
  if (lines.length <= HEAD_LINES + TAIL_LINES) return lines.join('\n');
  return [...lines.slice(0, HEAD_LINES), '[...]', ...lines.slice(-TAIL_LINES)].join('\n');
}

/** Runs a command and lets its output through; throws a StepError when it fails. */
export async function show(command, env = {}) {
  const line = command.join(' ').replaceAll(`${root}/`, '');
  console.log(`$ ${line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)} ...` : line}`);
  const { code, error } = await exitOf(
    start(command, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] }),
  );
  if (code !== 0) throw new StepError(error?.message ?? `${command[0]} ended with ${code}`);
}

/** Runs a command and keeps what it prints, so that the output of several that run at once can be shown in turn. */
export async function keep(command, env = {}) {
  const child = start(command, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
  const { code, error } = await exitOf(child);
  return { passed: code === 0, said: `${Buffer.concat(chunks)}${error ? `${error.message}\n` : ''}` };
}

/** Starts a command; the programs of npm packages are found as in the scripts of package.json. */
function start([program, ...args], { cwd, env, stdio }) {
  const path = [at('node_modules', '.bin'), env.PATH ?? process.env.PATH].join(delimiter);
  return spawn(program, args, { cwd, stdio, env: { ...process.env, ...env, PATH: path } });
}

/** Resolves when the child has ended and its output is read. */
function exitOf(child) {
  return new Promise((resolve) => {
    let error;
    child.on('error', (caught) => {
      error = caught;
    });
    child.on('close', (code, signal) => resolve({ code: code ?? signal, error }));
  });
}

/** What a command prints, or undefined when it is missing or fails. */
export function output([program, ...args], { env = {}, input = '' } = {}) {
  const { status, stdout } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 2 ** 28,
  });
  return status === 0 ? stdout : undefined;
}

/** The full path of a program on PATH, or undefined. */
export function which(program) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs `body` when `meta` is the module that Node was started with; modules that are imported as well as run use this.
 * A StepError becomes its message and exit code 1.
 */
export async function main(meta, body) {
  const started = process.argv[1];
  if (!started || fileURLToPath(meta.url) !== realpathSync(started)) return;
  try {
    await body();
  } catch (error) {
    console.error(error instanceof StepError ? `\n${error.message}` : error);
    process.exit(1);
  }
}
