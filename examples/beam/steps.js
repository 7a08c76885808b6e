// The steps of the pipeline. Beam writes functions down as source text and runs that text elsewhere, where nothing is that they
// refer to: neither what they import nor what is beside them in their file. What a module registers goes by its name instead, and
// the module is loaded there. So every function of a step is here, and registered below.

const { writeFileSync } = require('node:fs');
const { requireForSerialization } = require('apache-beam/serialization');
const { momentsCombiner } = require('layernorm');
const { rows } = require('./data.js');

const BATCH = 1000;

/** The rows of a shard in batches: elements of their own, so that no worker holds more than one of them. */
function* readBatches({ from, to }) {
  for (let start = from; start < to; start += BATCH) {
    yield { x: rows(start, Math.min(start + BATCH, to)) };
  }
}

const { create, add, merge, extract } = momentsCombiner({ axis: -1 });
// Beam's coder for objects of JavaScript knows no typed arrays: accumulators travel as text, results as plain arrays.
const toText = (bytes) => Buffer.from(bytes).toString('base64');
const toBytes = (text) => Buffer.from(text, 'base64');

/** A `CombineFn` of Beam: of batches makes `{ mean, variance, count }`, one number for each feature. */
const momentsFn = {
  createAccumulator: () => toText(create()),
  addInput: (accumulator, x) => toText(add(toBytes(accumulator), x)),
  mergeAccumulators: (accumulators) => toText(merge(Array.from(accumulators, toBytes))),
  extractOutput: (accumulator) => {
    const { mean, variance, count } = extract(toBytes(accumulator));
    return { mean: [...mean], variance: [...variance], count: [...count] };
  },
};

/** Writes the one result. */
function writeJson(result, { path }) {
  writeFileSync(path, JSON.stringify(result));
  return path;
}

module.exports = { readBatches, momentsFn, writeJson };
requireForSerialization('layernorm-examples-beam/steps.js', module.exports);
