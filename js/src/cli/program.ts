// The program: finds the command, and ends as it did.

import { info } from '../index.js';
import { EXIT, reportOf, usageFailure } from './failure.js';
import { INFO_HELP, MERGE_HELP, MOMENTS_HELP, NORMALIZE_HELP, PROGRAM_HELP } from './help.js';
import { infoCommand } from './info.js';
import { mergeCommand, momentsCommand } from './moments.js';
import { normalizeCommand } from './normalize.js';
import { discardUnfinished, print } from './output.js';

const COMMANDS: ReadonlyMap<string, { run: (args: readonly string[]) => Promise<void>; help: string }> =
  new Map([
    ['normalize', { run: normalizeCommand, help: NORMALIZE_HELP }],
    ['moments', { run: momentsCommand, help: MOMENTS_HELP }],
    ['merge', { run: mergeCommand, help: MERGE_HELP }],
    ['info', { run: infoCommand, help: INFO_HELP }],
  ]);

/** What ends the process early, with the codes that shells give it. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs a command line.
 * @param args - without the names of Node and of the program
 * @returns the exit code, see {@link EXIT}
 */
export async function main(args: readonly string[]): Promise<number> {
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      discardUnfinished();
      process.exit(code);
    });
  }
  try {
    await run(args);
    return EXIT.ok;
  } catch (error) {
    const { message, exitCode } = reportOf(error);
    process.stderr.write(`layernorm: ${message}\n`);
    if (exitCode === EXIT.usage) process.stderr.write('layernorm --help says what there is.\n');
    return exitCode;
  }
}

async function run([name, ...args]: readonly string[]): Promise<void> {
  if (name === '--version' || name === '-V') return print(`${info().version}\n`);
  if (name === '--help' || name === '-h') return print(PROGRAM_HELP);
  const names = [...COMMANDS.keys()].join(', ');
  if (name === undefined) throw usageFailure(`a command is missing, expected ${names}`);
  const command = COMMANDS.get(name);
  if (command === undefined) throw usageFailure(`there is no command '${name}', expected ${names}`);
  // Asked for, help comes whatever else is wrong.
  const options = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length);
  if (options.some((one) => one === '--help' || one === '-h')) return print(command.help);
  return command.run(args);
}
