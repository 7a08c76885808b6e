// Does the measuring for run.mjs: gets one job as a message, answers with one result.

import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { measureCalls } from './lib/calls.mjs';
import { idOf } from './lib/cases.mjs';
import { BASE, compare } from './lib/compare.mjs';
import { measureMemory, measureStart } from './lib/fresh.mjs';
import { QUICK, reasonOf, THOROUGH } from './lib/measure.mjs';
import { missingFrom } from './lib/operations.mjs';
import { randomNumbers } from './lib/random.mjs';
import { PEERS } from './peers/index.mjs';

/** One line that is overwritten while it goes on, where there is a terminal. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function openPeers(names) {
  const peers = {};
  const titles = {};
  const missing = {};
  for (const name of names) {
    progress(`getting ${name} ready`);
    try {
      peers[name] = await PEERS[name]();
      titles[name] = peers[name].title;
    } catch (error) {
      missing[name] = reasonOf(error);
    }
  }
  return { peers, titles, missing };
}

async function measureOperations({ cases, others }, context) {
  const { peers, titles, missing } = await openPeers(others.filter((name) => name in PEERS));
  const withArrays = others.includes('arrays');
  const rows = [];
  const absent = [];
  for (const [i, one] of cases.entries()) {
    const reason = missingFrom(context.builds[0].api, one);
    if (reason) {
      absent.push({ case: idOf(one), reason });
      continue;
    }
    progress(`Node ${process.version}: ${i + 1} of ${cases.length}, ${idOf(one)}`);
    rows.push(await compare(one, { ...context, peers, withArrays }));
  }
  for (const peer of Object.values(peers)) peer.close();
  return { titles, missing, absent, rows };
}

async function measure({ builds: distFolders, quick, sections, ...wish }) {
  const builds = [];
  for (const [i, folder] of distFolders.entries()) {
    // The query makes a second copy of the same build a module of its own.
    const url = `${pathToFileURL(join(folder, 'index.js'))}?build=${i}`;
    const api = await import(url);
    const again = () => import(`${url}&again`);
    builds.push({ name: i === 0 ? BASE : `build ${i + 1}`, folder, api, again });
  }
  const precision = quick ? QUICK : THOROUGH;
  const context = { builds, precision, random: randomNumbers(Date.now()) };
  const { version, variant, threads } = builds[0].api.info();
  const result = {
    node: process.versions.node,
    v8: process.versions.v8,
    cpu: cpus()[0]?.model,
    layernorm: { version, variant, threads },
    builds: builds.map(({ name, folder }) => ({ name, folder })),
    quick,
  };
  for (const section of sections) {
    progress(`Node ${process.version}: ${section}`);
    if (section === 'operations') result.operations = await measureOperations(wish, context);
    if (section === 'calls') result.calls = await measureCalls(builds[0].api, context);
    if (section === 'start') result.start = measureStart(distFolders[0], quick ? 5 : 11);
    if (section === 'memory') result.memory = measureMemory(distFolders[0]);
  }
  progress('');
  return result;
}

process.once('message', async (job) => {
  try {
    const result = await measure(job);
    process.send(result, () => process.exit());
  } catch (error) {
    progress('');
    console.error(error);
    process.exit(1);
  }
});
