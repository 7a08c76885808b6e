// Installs what is missing with Debian's package manager, where there is one that we may use. Elsewhere the user gets
// one line that names the one thing to install.

import { userInfo } from 'node:os';
import { output, run, StepError, which } from './run.mjs';

/**
 * Something that has to be on the machine.
 * @typedef {object} Requirement
 * @property {string[]} packages Debian packages that bring it
 * @property {() => boolean} present looks for the thing itself, so that it may also come from elsewhere
 * @property {string} hint "x is missing: install ..."
 */

/** A program on PATH. */
export const program = (name, packages = [name], hint = `install it and put it on PATH`) => ({
  packages,
  present: () => which(name) !== undefined,
  hint: `${name} is missing: ${hint}`,
});

/** A header that the C++ compiler finds. */
export const header = (path, debianPackage) => ({
  packages: [debianPackage],
  present: () =>
    output(['c++', '-E', '-x', 'c++', '-'], { input: `#if !__has_include(<${path}>)\n#error\n#endif` }) !==
    undefined,
  hint: `the C++ header ${path} is missing: install it (Debian's package ${debianPackage})`,
});

/** @param {Requirement[]} requirements */
export async function ensure(requirements) {
  const missing = requirements.filter(({ present }) => !present());
  if (missing.length === 0) return;
  if (!canInstall()) throw new StepError(missing[0].hint);
  await install([...new Set(missing.flatMap(({ packages }) => packages))]);
  const still = missing.find(({ present }) => !present());
  if (still) throw new StepError(`${still.hint} (installing ${still.packages.join(' ')} did not bring it)`);
}

/** True when apt-get is here and we are root or become it without being asked for a password. */
function canInstall() {
  return which('apt-get') !== undefined && sudo() !== undefined;
}

async function install(packages) {
  // `env`, since sudo does not pass variables on.
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  const apt = [...sudo(), ...quietly, 'apt-get', '-y', '-o', 'DPkg::Lock::Timeout=120'];
  const command = [...apt, 'install', '--no-install-recommends', ...packages];
  const attempt = () => run(`machine: installing ${packages.join(' ')}`, command);
  const update = () => run('machine: updating package lists', [...apt, 'update']);

  // Package lists are absent in a fresh container, and name files that are gone when they are old: update only then.
  const listsKnowThem = output([...command, '--simulate']) !== undefined;
  if (!listsKnowThem) {
    await update();
    return attempt();
  }
  try {
    await attempt();
  } catch {
    await update();
    await attempt();
  }
}

/** What to put before a command to run it as root; undefined when there is no way. */
function sudo() {
  if (userInfo().uid === 0) return [];
  return output(['sudo', '-n', 'true']) === undefined ? undefined : ['sudo', '-n'];
}
