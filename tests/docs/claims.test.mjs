// That what the guide says about outputs is really compared.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimsIn, holds, printed } from './support/claims.mjs';

describe('claims', () => {
  test('are the comments below console.log, with the line of the call', () => {
    const { code, claims } = claimsIn(
      'const x = 1;\nconsole.log(x); // why\n// [1,\n// 2]\n// 3\n\n// other\n',
    );
    assert.deepEqual([...claims], [[1, '[1, 2] 3']]);
    assert.equal(code.split('\n')[1], '__claim(1, x);');
  });

  test('are not made of calls without a comment below', () => {
    const code = 'console.log(x); // why\nconsole.warn(x);\n// no claim\n';
    assert.deepEqual(claimsIn(code), { code, claims: new Map() });
  });

  test('cannot be overlooked', () => {
    for (const code of ['console.log(\n  1,\n);\n// 2', 'if (x) console.log(1);\n// 2'])
      assert.throws(() => claimsIn(code), /a line to itself/);
  });

  const holding = [
    ['Float32Array [1.22, 0]', printed([new Float32Array([1.2238, 0])])],
    ['[2, 3] "a" true', printed([[2, 3], '"a"', true])],
    ['1e-5', '0.00001'],
    ['1.5e-7', '1.52e-7'],
    ['NaN -Infinity', printed([Number.NaN, Number.NEGATIVE_INFINITY])],
    ['ERR_SHAPE layerNorm: x has 6 elements', 'ERR_SHAPE layerNorm: x has 6 elements'],
  ];
  for (const [claim, output] of holding)
    test(`'${claim}' holds for '${output}'`, () => assert.ok(holds(claim, output)));

  const failing = [
    ['Float32Array [1.23, 0]', printed([new Float32Array([1.2238, 0])])],
    ['Float64Array [1.22, 0]', printed([new Float32Array([1.2238, 0])])],
    ['[1, 2]', printed([[1, 2, 3]])],
    ['[1, 2, 3]', printed([[1, 2]])],
    ['1.2238', '1.22'],
    ['-1', '1'],
    ['0', 'NaN'],
    ['1e-5', '2e-5'],
    ['ERR_SHAPE', 'ERR_AXIS'],
    ['', '1'],
  ];
  for (const [claim, output] of failing)
    test(`'${claim}' does not hold for '${output}'`, () => assert.ok(!holds(claim, output)));
});
