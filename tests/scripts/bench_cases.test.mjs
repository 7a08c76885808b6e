import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES, caseOf, DATA, idOf, isPlain, labelOf, selectCases } from '../../bench/lib/cases.mjs';
import { layoutOf, offsetsOf } from '../../bench/lib/layout.mjs';
import { OPERATIONS, problemOf } from '../../bench/lib/operations.mjs';
import { largestError, layerNormBackwardReference, layerNormReference } from '../../bench/lib/reference.mjs';

test('every row is unlike the others and names what exists', () => {
  assert.equal(new Set(CASES.map(idOf)).size, CASES.length);
  for (const one of CASES) {
    assert.ok(one.operation in OPERATIONS, idOf(one));
    assert.ok(one.data in DATA, idOf(one));
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
    size: 30,
    groups: 6,
    cols: 5,
    inner: 1,
    axes: [1],
    reducedShape: [5],
    groupShape: [6, 1],
  });
  assert.equal(layoutOf([2, 3, 4], 1).inner, 4);
  assert.equal(layoutOf([2, 3, 4], [2, 1]).inner, 1);
  assert.equal(layoutOf([2, 3, 4], [0, 2]).inner, undefined);
});

test('offsets reach every element once, groups in order', () => {
  const { starts, steps } = offsetsOf([2, 3, 4], layoutOf([2, 3, 4], [0, 2]));
  assert.deepEqual([...starts], [0, 4, 8]);
  assert.deepEqual([...steps], [0, 1, 2, 3, 12, 13, 14, 15]);
  const all = [...starts].flatMap((start) => [...steps].map((step) => start + step));
  assert.equal(new Set(all).size, 24);
});

/** A problem by hand. */
const problem = (shape, axis, arrays) => ({ shape, layout: layoutOf(shape, axis), epsilon: 0, arrays });

test('the reference normalizes whatever the layout', () => {
  const x = Float32Array.of(1, 10, 2, 20, 3, 30);
  const columns = layerNormReference(problem([3, 2], 0, { x }));
  const z = Math.sqrt(1.5);
  assert.ok(largestError(columns, [-z, -z, 0, 0, z, z]) < 1e-12);
  const gamma = Float32Array.of(2, 4);
  const beta = Float32Array.of(100, 200);
  const rows = layerNormReference(problem([3, 2], 1, { x, gamma, beta }));
  assert.deepEqual([...rows], [98, 204, 98, 204, 98, 204]);
});

test('the reference of the gradient agrees with differences of the forward one', () => {
  const one = caseOf({ operation: 'layerNormBackward', shape: [3, 4, 2], axis: 1, dtype: 'float64' });
  const given = problemOf(one);
  const { x, gamma, dy } = given.arrays;
  const beta = new Float64Array(4);
  // The sum of dy * y, as a function of one element of one array.
  const loss = (name, i, step) => {
    const moved = { x, gamma, beta, [name]: { x, gamma, beta }[name].slice() };
    moved[name][i] += step;
    return layerNormReference({ ...given, arrays: moved }).reduce((sum, y, j) => sum + y * dy[j], 0);
  };
  const slope = (name, i) => (loss(name, i, 1e-5) - loss(name, i, -1e-5)) / 2e-5;
  const [dx, dgamma, dbeta] = layerNormBackwardReference(given);
  for (const [name, gradient] of Object.entries({ x: dx, gamma: dgamma, beta: dbeta })) {
    const slopes = gradient.map((_, i) => slope(name, i));
    assert.ok(largestError(gradient, slopes) < 1e-6, name);
  }
  assert.equal(layerNormBackwardReference(problemOf({ ...one, affine: false })).length, 1);
});

test('the largest error is relative to what is larger than 1, and NaN when something is', () => {
  assert.equal(largestError([0.5, 110], [0, 100]), 0.5);
  assert.equal(largestError([110], [100]), 0.1);
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
