// The process of one peer: hosted.mjs starts it and asks, one request at a time.

import { reasonOf, samplerOf } from '../lib/measure.mjs';
import { problemOf } from '../lib/operations.mjs';
import { HOSTED } from './hosted.mjs';
import { MissingPeer } from './missing.mjs';

let peer;
let candidate;
let sample;

const ACTIONS = {
  async open() {
    peer = await HOSTED[process.argv[2]]();
    return { title: peer.title };
  },
  async candidate({ case: one }) {
    candidate = await peer.candidate(problemOf(one));
    if (candidate) sample = samplerOf(candidate);
    return { offered: candidate !== undefined, expected: candidate?.expected };
  },
  sample: async ({ calls }) => ({ ms: await sample(calls) }),
  async reset() {
    await candidate.reset?.();
    return {};
  },
  results: async () => ({ results: await candidate.results() }),
  async dispose() {
    await candidate.dispose?.();
    candidate = undefined;
    sample = undefined;
    return {};
  },
};

process.on('message', async (request) => {
  try {
    process.send(await ACTIONS[request.do](request));
  } catch (error) {
    process.send({
      failure: reasonOf(error),
      missing: error instanceof MissingPeer ? error.what : undefined,
    });
  }
});
process.on('disconnect', () => process.exit());
