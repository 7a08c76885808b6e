import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caseOf } from '../../bench/lib/cases.mjs';
import {
  arrayCandidate,
  heapCandidate,
  missingFrom,
  OPERATIONS,
  problemOf,
  shapeOf,
  stepsCandidate,
  tensorsOf,
} from '../../bench/lib/operations.mjs';
import { open as openLoops } from '../../bench/peers/plain_loop.mjs';

/** A build whose functions say what they were called with. */
function fakeApi(result = {}) {
  const calls = [];
  const tensor = (data, shape, dtype) => ({
    array: Float64Array.from(data),
    shape,
    dtype,
    disposed: 0,
    dispose() {
      this.disposed++;
    },
  });
  const functions = Object.entries(OPERATIONS).map(([name, { run = name }]) => [
    run,
    (...given) => {
      calls.push([run, ...given]);
      return result;
    },
  ]);
  return { calls, api: { tensor, ...Object.fromEntries(functions) } };
}

/** What a call of an operation gets: positions, and options by their names. */
function callOf(parts, result) {
  const { api, calls } = fakeApi(result);
  const problem = problemOf(caseOf({ shape: [2, 6, 4], dtype: 'float64', ...parts }));
  const tensors = tensorsOf(api, problem);
  const candidate = heapCandidate('ours', api, problem, tensors);
  candidate.call();
  const [name, ...given] = calls[0];
  const options = given.pop();
  return { name, given, options, tensors, problem, candidate };
}

test('a forward call gets x and its options, and writes to out', () => {
  const { name, given, options, tensors } = callOf({ operation: 'layerNorm', axis: [1, 2] });
  const { x, gamma, beta, out } = tensors;
  assert.equal(name, 'layerNorm');
  assert.deepEqual(given, [x]);
  assert.deepEqual(options, { axis: [1, 2], epsilon: 1e-5, gamma, beta, out });
  assert.deepEqual(
    [x.shape, gamma.shape],
    [
      [2, 6, 4],
      [6, 4],
    ],
  );
});

test('in place x is out', () => {
  const { given, options, candidate, problem } = callOf({ operation: 'unitNorm', inPlace: true });
  assert.equal(given[0], options.out);
  assert.deepEqual(Object.keys(options), ['axis', 'epsilon', 'out']);
  given[0].array.fill(7);
  candidate.reset();
  assert.deepEqual(given[0].array, problem.arrays.x);
});

test('statistics of inference are options of batchNorm, one a channel', () => {
  const { name, options, tensors } = callOf({ operation: 'batchNormInference', axis: 1 });
  assert.equal(name, 'batchNorm');
  assert.deepEqual(Object.keys(options).sort(), [
    'axis',
    'beta',
    'epsilon',
    'gamma',
    'mean',
    'out',
    'variance',
  ]);
  assert.deepEqual([tensors.mean.shape, tensors.gamma.shape], [[6], [6]]);
});

test('groups are an option, and their statistics have the shape [batch, groups]', () => {
  const parts = { operation: 'groupNormBackward', axis: 1, groups: 3 };
  const { given, options, tensors } = callOf(parts);
  assert.deepEqual(given, [tensors.dy, tensors.x]);
  assert.equal(options.groups, 3);
  assert.deepEqual([tensors.rstd.shape, tensors.gamma.shape], [[2, 3], [6]]);
  assert.ok(!('epsilon' in options || 'outputs' in options));
  assert.deepEqual(callOf({ ...parts, affine: false }).options.outputs, ['dx']);
});

test('skip comes second, and the sum has a place of its own', () => {
  const { given, options, tensors, candidate } = callOf({ operation: 'skipLayerNorm' });
  assert.deepEqual(given, [tensors.x, tensors.skip]);
  assert.equal(options.sumOut, tensors.sumOut);
  assert.notEqual(options.sumOut, options.out);
  candidate.reset();
  assert.ok(Number.isNaN(tensors.out.array[0]) && Number.isNaN(tensors.sumOut.array[0]));
});

test('what is kept of rows has a shape of its own, and the steps write to the same place', () => {
  const parts = { operation: 'matryoshka', shape: [5, 4], dimensions: 3 };
  const { given, options, tensors } = callOf(parts);
  assert.deepEqual(given, [tensors.x]);
  assert.deepEqual(options, { dimensions: 3, epsilon: 1e-5, out: tensors.out });
  assert.deepEqual(tensors.out.shape, [5, 3]);
  const { api, calls } = fakeApi();
  const problem = problemOf(caseOf(parts));
  const inHeap = tensorsOf(api, problem);
  const steps = stepsCandidate('in steps', api, problem, inHeap);
  steps.call();
  assert.deepEqual(
    calls.map(([name]) => name),
    ['layerNorm', 'unitNorm'],
  );
  // layerNorm of the fake writes nothing: what is kept is of x.
  assert.deepEqual([...inHeap.out.array].slice(3, 6), [...problem.arrays.x].slice(4, 7));
  assert.equal(steps.results()[0], inHeap.out.array);
  const other = problemOf(caseOf({ shape: [5, 4] }));
  assert.equal(stepsCandidate('in steps', api, other, tensorsOf(api, other)), undefined);
});

test('what a call returns anew is let go of by the next one', () => {
  const fresh = () => ({
    array: [1],
    disposed: 0,
    dispose() {
      this.disposed++;
    },
  });
  const result = { mean: fresh(), variance: fresh() };
  const { candidate } = callOf({ operation: 'moments' }, result);
  assert.equal(result.mean.disposed, 0);
  assert.deepEqual(candidate.results(), [[1], [1]]);
  candidate.call();
  assert.equal(result.mean.disposed, 1);
  candidate.dispose();
  assert.deepEqual([result.mean.disposed, result.variance.disposed], [2, 2]);
});

test('arrays get their shape, and the inputs stay as they are', () => {
  const { api, calls } = fakeApi();
  const problem = problemOf(caseOf({ operation: 'rmsNorm', shape: [2, 3], inPlace: true }));
  const candidate = arrayCandidate('arrays', api, problem);
  candidate.call();
  const [, x, options] = calls[0];
  assert.deepEqual(options.shape, [2, 3]);
  assert.equal(x, options.out);
  assert.notEqual(x, problem.arrays.x);
});

test('numbers of 16 bits are those of x; what belongs to groups and parameters is not', () => {
  const { tensors } = callOf({ operation: 'rmsNormBackward', dtype: 'float16' });
  assert.deepEqual(
    ['x', 'dy', 'out', 'gamma', 'rstd'].map((name) => tensors[name].dtype),
    ['float16', 'float16', 'float16', null, null],
  );
});

test('a build without the function says so', () => {
  const { api } = fakeApi();
  assert.equal(missingFrom({}, caseOf({ operation: 'batchNormInference' })), 'no batchNorm in this build');
  assert.equal(missingFrom(api, caseOf({ operation: 'batchNormInference' })), undefined);
  const threads = missingFrom(api, caseOf({ operation: 'rmsNorm', threads: 2 }));
  assert.equal(threads, 'one thread only in this build');
});

test('every input has the shape that its elements fill', () => {
  for (const operation of Object.keys(OPERATIONS)) {
    const problem = problemOf(caseOf({ operation, shape: [2, 6, 4], axis: 1, groups: 3 }));
    for (const [name, data] of Object.entries(problem.arrays)) {
      if (!data) continue;
      const count = shapeOf(name, problem).reduce((all, size) => all * size, 1);
      assert.equal(data.length, count, `${operation} ${name}`);
    }
  }
});

test('the plain loops compute what the references say, with channels first and last', async () => {
  const loops = await openLoops();
  let measured = 0;
  for (const operation of Object.keys(OPERATIONS)) {
    for (const axis of [1, 2, [0, 2], [0, 1]]) {
      if (Array.isArray(axis) && operation !== 'moments' && operation !== 'layerNorm') continue;
      const problem = problemOf(caseOf({ operation, shape: [2, 6, 6], axis, groups: 3, dtype: 'float64' }));
      const candidate = await loops.candidate(problem);
      if (!candidate) continue;
      candidate.reset();
      candidate.call();
      const expected = OPERATIONS[operation].expected(problem);
      const results = candidate.results();
      assert.equal(results.length, expected.length);
      for (const [i, result] of results.entries()) {
        const off = Math.max(...result.map((one, j) => Math.abs(one - expected[i][j])));
        assert.ok(off < 1e-12, `${operation} over ${axis}: off by ${off}`);
      }
      measured++;
    }
  }
  assert.ok(measured >= 14, `${measured} of them`);
});
