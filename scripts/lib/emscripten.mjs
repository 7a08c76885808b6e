// Finds Emscripten on PATH, or sets up a private copy of Debian 13's inside the repository: Debian 12 has every LLVM 19
// tool but only an Emscripten of 2022, and installing Debian 13's package there would replace the system's C library.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensure, program } from './apt.mjs';
import { at } from './paths.mjs';
import { output, run, StepError, which } from './run.mjs';

/** The version of the copy that is set up here, which is the one that everything is tested with. */
const VERSION = '3.1.69';
/** With this in the environment an emcc on PATH is passed over. */
export const OWN = 'LAYERNORM_EMSCRIPTEN=own';
/** Raise this when the recipe below changes, so that existing copies are made anew. */
const RECIPE = 1;
const SUITE = 'trixie';

const MISSING = `Emscripten ${VERSION} or newer is missing: install it (emsdk install ${VERSION}) and put emcc on PATH`;

const folder = at('.cache', 'emscripten');
/** The packages' files, as they would lie under `/`. */
const tree = join(folder, 'root');
const emscriptenRoot = join(tree, 'usr', 'share', 'emscripten');
/** Written last, so that an interrupted set-up is seen. */
const stampPath = join(folder, 'ready.json');

/**
 * @typedef {object} Emscripten
 * @property {string} emcc full path
 * @property {string} version
 * @property {string} toolchainFile for CMake
 * @property {Record<string, string>} env to be added to the environment of emcc and of builds that call it
 */

/** @type {Promise<Emscripten> | undefined} */
let found;

export const ensureEmscripten = () => {
  found ??= findOrSetUp();
  return found;
};

async function findOrSetUp() {
  const installed = fromPath();
  if (installed) return installed;
  await ensureSystemTools();
  if (!isReady()) await setUp();
  return privateCopy();
}

/** What is on PATH, when it is that version or newer. */
function fromPath() {
  const [name, own] = OWN.split('=');
  const emcc = process.env[name] === own ? undefined : which('emcc');
  const version = emcc && versionOf(emcc);
  if (!version || version.localeCompare(VERSION, 'en', { numeric: true }) < 0) return undefined;
  const emConfig = join(dirname(emcc), 'em-config');
  const root = output([emConfig, 'EMSCRIPTEN_ROOT'])?.trim() ?? dirname(emcc);
  return { emcc, version, toolchainFile: toolchainFileIn(root), env: {} };
}

function privateCopy() {
  const { version } = JSON.parse(readFileSync(stampPath, 'utf8'));
  const env = {
    PATH: `${emscriptenRoot}:${process.env.PATH}`,
    EM_CONFIG: join(emscriptenRoot, '.emscripten'),
  };
  return { emcc: join(emscriptenRoot, 'emcc'), version, toolchainFile: toolchainFileIn(emscriptenRoot), env };
}

const toolchainFileIn = (root) => join(root, 'cmake', 'Modules', 'Platform', 'Emscripten.cmake');

/** Empty for an emcc that does not run. */
const versionOf = (emcc, env) => output([emcc, '--version'], { env })?.match(/\d+\.\d+\.\d+/)?.[0] ?? '';

/** What a set-up depends on. The folder is part of it, since full paths go into executables; so is Node's own path. */
const identity = () => ({ recipe: RECIPE, folder, node: process.execPath });

function isReady() {
  if (!existsSync(stampPath)) return false;
  const stamp = JSON.parse(readFileSync(stampPath, 'utf8'));
  return Object.entries(identity()).every(([key, value]) => stamp[key] === value);
}

/** What the private copy takes from the system: LLVM 19, and what setting it up and running it needs. */
async function ensureSystemTools() {
  if (!which('apt-get') || !/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))) {
    throw new StepError(MISSING);
  }
  const tools = {
    'clang-19': 'clang-19',
    'wasm-ld-19': 'lld-19',
    'llvm-ar-19': 'llvm-19',
    patchelf: 'patchelf',
    python3: 'python3',
  };
  const keyring = {
    packages: ['debian-archive-keyring'],
    present: () => existsSync(`/usr/share/keyrings/debian-archive-${SUITE}-stable.gpg`),
  };
  const requirements = [...Object.entries(tools).map(([name, deb]) => program(name, [deb])), keyring];
  await ensure(requirements.map((requirement) => ({ ...requirement, hint: MISSING })));
}

async function setUp() {
  rmSync(folder, { recursive: true, force: true });
  const downloads = join(folder, 'downloads');
  for (const path of [downloads, tree]) mkdirSync(path, { recursive: true });

  const apt = await privateApt();
  const packages = ['emscripten', 'binaryen', 'libc6', 'libstdc++6', 'libgcc-s1'];
  const download = [...apt, 'download', ...packages];
  await run('toolchain: downloading emscripten (250 MB)', download, { cwd: downloads });
  const unpackAll = 'for package in "$1"/*.deb; do dpkg -x "$package" "$2"; done';
  await run('toolchain: unpacking emscripten', ['sh', '-ec', unpackAll, 'sh', downloads, tree]);
  await runBinaryenOnOwnLibc();
  await addAcorn(downloads);
  writeConfig();
  discardUnused(downloads);

  const env = { EM_CONFIG: join(emscriptenRoot, '.emscripten') };
  await tryOut(env);
  const version = versionOf(join(emscriptenRoot, 'emcc'), env);
  writeFileSync(
    join(folder, 'env.sh'),
    `# source this to have emcc in a shell\nexport EM_CONFIG='${env.EM_CONFIG}' PATH='${emscriptenRoot}':"$PATH"\n`,
  );
  writeFileSync(stampPath, JSON.stringify({ ...identity(), version }, null, 2));
}

/**
 * An apt-get that knows nothing but SUITE on this machine's own mirror and has its state in our folder, so that the
 * system's package lists stay as they are. Signatures are checked against Debian's own keys.
 */
async function privateApt() {
  const state = join(folder, 'apt');
  for (const path of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(state, path), { recursive: true });
  }
  const sources = join(state, 'sources.list');
  const settings = {
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::Cache': join(state, 'cache'),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Acquire::Languages': 'none',
    // Root's apt would otherwise download as a user who may not write here.
    'APT::Sandbox::User': 'root',
  };
  const apt = ['apt-get', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
  // `Error-Mode=any`: an update whose signature or download fails is a failure, not a warning.
  const update = [...apt, '-o', 'APT::Update::Error-Mode=any', 'update'];

  const failures = [];
  for (const mirror of debianMirrors()) {
    const signedBy = '/usr/share/keyrings/debian-archive-keyring.gpg';
    writeFileSync(sources, `deb [signed-by=${signedBy}] ${mirror} ${SUITE} main\n`);
    try {
      await run(`toolchain: reading the package lists of Debian ${SUITE}`, update);
      return apt;
    } catch (error) {
      failures.push(error.message);
    }
  }
  throw new StepError(
    [...failures, `No Debian mirror in apt's configuration has ${SUITE}.`, MISSING].join('\n'),
  );
}

/** Addresses that this machine takes packages of Debian's main section from; security and update suites lie apart. */
function debianMirrors() {
  const lines = output(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)'])?.split(
    '\n',
  );
  const candidates = (lines ?? [])
    .map((line) => line.split(' '))
    .filter(([, release, component]) => component === 'main' && /^[a-z]+$/.test(release));
  return new Set(candidates.map(([uri]) => uri));
}

/** Binaryen's executables need a newer libc than Debian 12's: point them at the unpacked one. */
async function runBinaryenOnOwnLibc() {
  const bin = join(tree, 'usr', 'bin');
  const [triplet] = readdirSync(join(tree, 'usr', 'lib'));
  const libraries = join(tree, 'usr', 'lib', triplet);
  const loader = readdirSync(libraries).find((name) => name.startsWith('ld-linux'));
  const executables = readdirSync(bin).filter((name) => name.startsWith('wasm'));
  // The old-style search path (--force-rpath) also holds for what the libraries load in their turn.
  const patch = [
    'patchelf',
    '--set-interpreter',
    join(libraries, loader),
    '--force-rpath',
    '--set-rpath',
    libraries,
  ];
  await run('toolchain: patching binaryen', [...patch, ...executables.map((name) => join(bin, name))]);
}

/**
 * Debian keeps Emscripten's one JavaScript dependency in a package of its own, in a place only its own Node looks at,
 * and leaves out the package.json; without it the tools would take the module type of this repository's.
 */
async function addAcorn(downloads) {
  writeFileSync(join(emscriptenRoot, 'package.json'), '{ "type": "commonjs" }\n');
  const target = join(emscriptenRoot, 'node_modules', 'acorn');
  mkdirSync(target, { recursive: true });
  await run('toolchain: downloading acorn', ['npm', 'pack', 'acorn@8', '--pack-destination', downloads]);
  const archive = readdirSync(downloads).find((name) => /^acorn-.*\.tgz$/.test(name));
  const unpack = ['tar', '-xzf', join(downloads, archive), '-C', target, '--strip-components=1'];
  await run('toolchain: unpacking acorn', unpack);
}

function writeConfig() {
  const settings = {
    LLVM_ROOT: dirname(which('clang-19')),
    BINARYEN_ROOT: join(tree, 'usr'),
    NODE_JS: process.execPath,
    CLANG_ADD_VERSION: '19',
    LLVM_ADD_VERSION: '19',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  // Every system library comes prebuilt with the package: nothing is to be built into the cache.
  writeFileSync(join(emscriptenRoot, '.emscripten'), [...lines, 'FROZEN_CACHE = True', ''].join('\n'));
}

/** The downloads, and the libraries for dynamic linking: 1 GB of 1.9. */
function discardUnused(downloads) {
  const libraries = join(emscriptenRoot, 'cache', 'sysroot', 'lib', 'wasm32-emscripten');
  for (const path of [downloads, join(libraries, 'pic'), join(libraries, 'lto-pic')]) {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Compiles and links a few lines of Embind, which takes every part into use once: clang, wasm-ld, Binaryen, acorn. */
async function tryOut(env) {
  const source = join(folder, 'try_out.cpp');
  writeFileSync(
    source,
    `#include <emscripten/bind.h>
    int twice(int x) { return 2 * x; }
    EMSCRIPTEN_BINDINGS(try_out) { emscripten::function("twice", &twice); }\n`,
  );
  const options = ['-O2', '-lembind', '-sEMBIND_AOT=1', '-o', join(folder, 'try_out.mjs')];
  await run('toolchain: trying it out', [join(emscriptenRoot, 'emcc'), source, ...options], { env });
}
