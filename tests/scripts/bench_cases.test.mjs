import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES, caseOf, DATA, idOf, isPlain, labelOf, selectCases } from '../../bench/lib/cases.mjs';
import {
  broadcastShape,
  channelGroupLayoutOf,
  channelLayoutOf,
  layoutOf,
  offsetsOf,
} from '../../bench/lib/layout.mjs';
import { OPERATIONS, problemOf } from '../../bench/lib/operations.mjs';
import { largestError, standardizedReference } from '../../bench/lib/reference.mjs';

test('every row is unlike the others and names what exists', () => {
  assert.equal(new Set(CASES.map(idOf)).size, CASES.length);
  for (const one of CASES) {
    assert.ok(one.operation in OPERATIONS, idOf(one));
    assert.ok(one.data in DATA, idOf(one));
    const { groups, cols, size } = OPERATIONS[one.operation].layout(one);
    assert.equal(groups * cols, size, idOf(one));
    assert.ok(Number.isInteger(groups), idOf(one));
  }
  for (const name of Object.keys(OPERATIONS)) {
    assert.ok(
      CASES.some(({ operation }) => operation === name),
      `a row for ${name}`,
    );
  }
});

test('labels say what is unusual', () => {
  assert.equal(labelOf(caseOf({ shape: [8, 256] })), '8x256');
  const unusual = {
    shape: [2, 3, 4],
    axis: [0, 2],
    inPlace: true,
    affine: false,
    data: 'offset',
    threads: 2,
  };
  assert.equal(labelOf(caseOf(unusual)), '2x3x4 axis 0,2 in place no gamma, beta N(10,1) 2 threads');
  const grouped = { operation: 'groupNorm', shape: [2, 8, 4], axis: 1, groups: 4 };
  assert.equal(labelOf(caseOf(grouped)), '2x8x4 4 groups axis 1');
  assert.ok(isPlain(caseOf({ shape: [8, 256] })));
  assert.ok(!isPlain(caseOf({ shape: [8, 256], dtype: 'float64' })));
  assert.ok(!isPlain(caseOf({ shape: [8, 256], inPlace: true })));
});

test('shapes and patterns select rows; a shape that is not in the table becomes one', () => {
  const ids = (wish) => selectCases(wish).map(idOf);
  assert.deepEqual(ids({ shapes: ['5x6'] }), ['layerNorm float32 5x6']);
  assert.ok(ids({ shapes: ['128x768'] }).length > 1);
  assert.deepEqual(ids({ shapes: ['128x768'], quick: true }), ['layerNorm float32 128x768']);
  assert.ok(ids({ pattern: 'float64' }).every((id) => id.includes('float64')));
  assert.ok(selectCases({ quick: true }).every(({ headline }) => headline));
  assert.deepEqual(ids({ pattern: 'no such row' }), []);
  assert.throws(() => selectCases({ shapes: ['12by3'] }), /'12by3' is no shape/);
});

test('layouts of rows, of an axis in the middle, and of axes apart', () => {
  assert.deepEqual(layoutOf([6, 5], -1), {
    shape: [6, 5],
    size: 30,
    groups: 6,
    cols: 5,
    inner: 1,
    axes: [1],
    parameterAxes: [1],
    parameterShape: [5],
    groupShape: [6, 1],
  });
  assert.equal(layoutOf([2, 3, 4], 1).inner, 4);
  assert.equal(layoutOf([2, 3, 4], [2, 1]).inner, 1);
  assert.equal(layoutOf([2, 3, 4], [0, 2]).inner, undefined);
});

test('layouts of channels and of groups of them', () => {
  const parts = ({ shape, groups, cols, parameterShape, groupShape }) => [
    shape,
    groups,
    cols,
    parameterShape,
    groupShape,
  ];
  assert.deepEqual(parts(channelLayoutOf([2, 3, 4, 5], -1)), [[24, 5, 1], 5, 24, [5], [5]]);
  assert.deepEqual(parts(channelLayoutOf([2, 3, 4, 5], 1)), [[2, 3, 20], 3, 40, [3], [3]]);
  assert.deepEqual(parts(channelGroupLayoutOf([2, 3, 4, 6], -1, 3)), [[2, 12, 3, 2, 1], 6, 24, [6], [2, 3]]);
  assert.deepEqual(parts(channelGroupLayoutOf([2, 6, 3, 4], 1, 3)), [[2, 1, 3, 2, 12], 6, 24, [6], [2, 3]]);
  assert.deepEqual(broadcastShape(channelGroupLayoutOf([2, 6, 3, 4], 1, 3)), [1, 1, 3, 2, 1]);
});

test('offsets reach every element once, groups in order', () => {
  const { starts, steps } = offsetsOf(layoutOf([2, 3, 4], [0, 2]));
  assert.deepEqual([...starts], [0, 4, 8]);
  assert.deepEqual([...steps], [0, 1, 2, 3, 12, 13, 14, 15]);
  const all = [...starts].flatMap((start) => [...steps].map((step) => start + step));
  assert.equal(new Set(all).size, 24);
});

test('every element has the parameters of its channel', () => {
  // Two of a batch, six channels in three groups, four places: [n, c, i] and [n, i, c].
  const first = offsetsOf(channelGroupLayoutOf([2, 6, 4], 1, 3));
  const last = offsetsOf(channelGroupLayoutOf([2, 4, 6], 2, 3));
  for (const [{ starts, steps, parameterStarts, parameterSteps }, channelOf] of [
    [first, (at) => Math.floor(at / 4) % 6],
    [last, (at) => at % 6],
    [offsetsOf(channelLayoutOf([2, 6, 4], 1)), (at) => Math.floor(at / 4) % 6],
    [offsetsOf(layoutOf([4, 6], 1)), (at) => at % 6],
  ]) {
    for (const [i, start] of starts.entries()) {
      for (const [j, step] of steps.entries()) {
        assert.equal(parameterStarts[i] + parameterSteps[j], channelOf(start + step));
      }
    }
  }
});

/** A problem by hand. */
const problem = (shape, axis, arrays) => ({ shape, layout: layoutOf(shape, axis), epsilon: 0, arrays });

test('the reference normalizes whatever the layout', () => {
  const x = Float32Array.of(1, 10, 2, 20, 3, 30);
  const columns = standardizedReference(problem([3, 2], 0, { x }));
  const z = Math.sqrt(1.5);
  assert.ok(largestError(columns, [-z, -z, 0, 0, z, z]) < 1e-12);
  const gamma = Float32Array.of(2, 4);
  const beta = Float32Array.of(100, 200);
  const rows = standardizedReference(problem([3, 2], 1, { x, gamma, beta }));
  assert.deepEqual([...rows], [98, 204, 98, 204, 98, 204]);
});

/** Small problems of every operation. */
const SMALL = {
  groupNorm: { shape: [2, 6, 4], axis: 1, groups: 3 },
  groupNormBackward: { shape: [2, 4, 6], axis: -1, groups: 3 },
  batchNormBackward: { shape: [3, 4, 2], axis: 1 },
  moments: { shape: [3, 4, 2], axis: [0, 2] },
};
const small = (operation, more) =>
  problemOf(caseOf({ operation, dtype: 'float64', shape: [3, 4, 2], axis: 1, ...SMALL[operation], ...more }));
const expectedOf = (given) => OPERATIONS[given.case.operation].expected(given);

test('the references are what the operations are defined as', () => {
  const near = (actual, expected) => assert.ok(largestError(actual, expected) < 1e-12);
  const row = (operation, arrays) => {
    const given = problem([1, 4], 1, { x: Float64Array.of(1, -1, 5, 3), ...arrays });
    return OPERATIONS[operation].expected({ ...given, case: { operation } });
  };
  near(row('rmsNorm', { gamma: Float64Array.of(1, 1, 1, 2) })[0], [1 / 3, -1 / 3, 5 / 3, 2]);
  near(row('unitNorm', {})[0], [1 / 6, -1 / 6, 5 / 6, 0.5]);
  const skip = Float64Array.of(0, 2, -4, 0);
  near(
    row('skipLayerNorm', { skip })[0],
    [-1, -1, -1, 3].map((one) => one / Math.sqrt(3)),
  );
  near(row('skipLayerNorm', { skip })[1], [1, 1, 1, 3]);
  const kept = problem([2, 4], 1, { x: Float64Array.of(1, -1, 5, 3, 4, 0, 4, 0) });
  near(
    OPERATIONS.matryoshka.expected({
      ...kept,
      case: { operation: 'matryoshka', shape: [2, 4], dimensions: 2 },
    })[0],
    [-1 / Math.sqrt(10), -3 / Math.sqrt(10), Math.SQRT1_2, -Math.SQRT1_2],
  );
  near(row('moments', {})[0], [2]);
  near(row('moments', {})[1], [5]);

  const inference = {
    ...problem([1, 4], 1, {
      x: Float64Array.of(1, -1, 5, 3),
      mean: Float64Array.of(0, 1, 2, 3),
      variance: Float64Array.of(1, 4, 9, 16),
    }),
    layout: channelLayoutOf([1, 4], 1),
  };
  near(OPERATIONS.batchNormInference.expected(inference)[0], [1, -1, 1, 0]);

  const batch = small('batchNorm', { affine: false });
  const [y] = expectedOf(batch);
  for (let c = 0; c < 4; c++) {
    const ofChannel = y.filter((_, at) => Math.floor(at / 2) % 4 === c);
    near([ofChannel.reduce((sum, one) => sum + one, 0)], [0]);
  }
  // Groups of one channel each.
  const instances = small('instanceNorm');
  const groups = small('groupNorm', { shape: [3, 4, 2], axis: 1, groups: 4 });
  near(expectedOf(instances)[0], expectedOf({ ...groups, arrays: instances.arrays })[0]);
});

const BACKWARD = Object.keys(OPERATIONS).filter((name) => name.endsWith('Backward'));

for (const operation of BACKWARD) {
  test(`the reference of ${operation} agrees with differences of the forward one`, () => {
    const given = small(operation);
    const { x, gamma, dy } = given.arrays;
    const beta = new Float64Array(given.layout.parameterShape.reduce((all, size) => all * size, 1));
    const { expected } = OPERATIONS[operation.replace('Backward', '')];
    // The sum of dy * y, as a function of one element of one array.
    const loss = (name, i, step) => {
      const moved = { x, gamma, beta, [name]: { x, gamma, beta }[name].slice() };
      moved[name][i] += step;
      const [y] = expected({ ...given, arrays: moved });
      return y.reduce((sum, one, j) => sum + one * dy[j], 0);
    };
    const slope = (name, i) => (loss(name, i, 1e-5) - loss(name, i, -1e-5)) / 2e-5;
    const { results } = OPERATIONS[operation];
    const gradients = expectedOf(given);
    assert.equal(gradients.length, results.length);
    for (const [i, gradient] of gradients.entries()) {
      const name = results[i].slice(1);
      const slopes = gradient.map((_, j) => slope(name, j));
      assert.ok(largestError(gradient, slopes) < 1e-6, results[i]);
    }
    assert.equal(expectedOf(small(operation, { affine: false })).length, 1);
  });
}

test('the largest error is relative to what is larger than 1 or to the largest of all, and NaN when something is', () => {
  assert.equal(largestError([0.5, 110], [0, 100]), 0.5);
  assert.equal(largestError([110], [100]), 0.1);
  assert.equal(largestError([0.25, 0.25], [0.5, 0.25]), 0.5);
  assert.equal(largestError([0, 0.25], [0, 0]), 0.25);
  assert.ok(Number.isNaN(largestError([0, Number.NaN, 9], [0, 0, 0])));
  assert.throws(() => largestError([1], [1, 2]), /1 elements, expected 2/);
});

test('a problem is the same in every process', () => {
  const one = caseOf({ shape: [4, 8], dtype: 'float64' });
  assert.deepEqual(problemOf(one), problemOf(one));
  const { x, gamma, beta } = problemOf(one).arrays;
  assert.ok(x instanceof Float64Array && gamma.length === 8 && beta.length === 8);
  assert.equal(problemOf(caseOf({ shape: [4, 8], affine: false })).arrays.gamma, undefined);
});
