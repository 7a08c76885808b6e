// Measures in the Node that runs it. `npm run bench` builds what is missing and runs this in every Node; bench/README.md
// says what the figures mean.

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { idOf, selectCases } from './lib/cases.mjs';
import { BASE, compare } from './lib/compare.mjs';
import { folders } from './lib/folders.mjs';
import { QUICK, reasonOf, THOROUGH } from './lib/measure.mjs';
import { randomNumbers } from './lib/random.mjs';
import { report } from './lib/report.mjs';
import { PEERS } from './peers/index.mjs';

const { values } = parseArgs({
  options: {
    shapes: { type: 'string' },
    cases: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean' },
    dist: { type: 'string', multiple: true },
    json: { type: 'string' },
  },
});
const list = (text) => text?.split(',').map((part) => part.trim());

const builds = [];
for (const [i, folder] of (values.dist ?? [folders.dist]).entries()) {
  const url = pathToFileURL(join(resolve(folder), 'index.js'));
  builds.push({ name: i === 0 ? BASE : `build ${i + 1}`, folder, api: await import(`${url}?build=${i}`) });
}

const wanted = list(values.only) ?? ['arrays', ...Object.keys(PEERS)];
const peers = {};
const titles = {};
for (const name of wanted.filter((one) => one !== 'arrays')) {
  try {
    peers[name] = await (await PEERS[name]()).open();
    titles[name] = peers[name].title;
  } catch (error) {
    console.log(`${name}: ${reasonOf(error)}`);
  }
}

const rows = [];
const random = randomNumbers(Date.now());
const precision = values.quick ? QUICK : THOROUGH;
for (const one of selectCases({ shapes: list(values.shapes), pattern: values.cases, quick: values.quick })) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${idOf(one)}`);
  rows.push(await compare(one, { builds, peers, withArrays: wanted.includes('arrays'), precision, random }));
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
for (const peer of Object.values(peers)) peer.close();

const result = {
  node: process.version,
  v8: process.versions.v8,
  titles,
  builds: builds.map(({ folder }) => folder),
  rows,
};
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`);
console.log(report([result]));
process.exit();
