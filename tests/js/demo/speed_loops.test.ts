// The plain loops do what the package does, the check finds what does not, and the page shows the text of what runs.

import { readFileSync } from 'node:fs';
import { batchNorm, layerNorm, rmsNorm, tensor, unitNorm } from 'layernorm';
import { METHODS } from '../../../web-demo/src/compute/methods.js';
import { fromBfloat16, fromFloat16, largestError } from '../../../web-demo/src/speed/check.js';
import { loopSource } from '../../../web-demo/src/speed/loop_source.js';
import * as loops from '../../../web-demo/src/speed/plain_loops.js';
import { OPERATIONS, type OperationName } from '../../../web-demo/src/speed/settings.js';

const [rows, columns] = [11, 37];
const x = Float32Array.from({ length: rows * columns }, (_, i) => 1 + 2 * Math.sin(i * i));
const gamma = Float32Array.from({ length: columns }, (_, i) => 1 + i / 64);
const beta = Float32Array.from({ length: columns }, (_, i) => i / 32 - 1);

const LOOPS = { layer: loops.layerNorm, rms: loops.rmsNorm, unit: loops.unitNorm, batch: loops.batchNorm };
const PACKAGE = { layer: layerNorm, rms: rmsNorm, unit: unitNorm, batch: batchNorm };

function byLoop(operation: OperationName): Float32Array {
  const y = new Float32Array(x.length);
  LOOPS[operation](x, rows, columns, gamma, beta, METHODS[operation].epsilon, y);
  return y;
}

const checked = (operation: OperationName, y: Float32Array) =>
  largestError({
    operation,
    dtype: 'float32',
    rows,
    columns,
    epsilon: METHODS[operation].epsilon,
    x,
    y,
    gamma,
    beta,
  });

describe.each(OPERATIONS)('%s', (operation) => {
  const { epsilon, hasGamma, hasBeta } = METHODS[operation];

  test('the loop agrees with the package and with float64', () => {
    const options = { shape: [rows, columns], epsilon, ...(hasGamma && { gamma }), ...(hasBeta && { beta }) };
    const expected = (PACKAGE[operation] as typeof layerNorm)(x, options) as Float32Array;
    const y = byLoop(operation);
    for (let i = 0; i < y.length; i++) expect(y[i]).toBeCloseTo(expected[i] as number, 5);
    expect(checked(operation, y)).toBeLessThan(2);
    expect(checked(operation, expected)).toBeLessThan(4);
  });

  test('the check finds one wrong number in the first and in the last group, and what was never written', () => {
    for (const i of [0, x.length - 1]) {
      const y = byLoop(operation);
      y[i] = (y[i] as number) + 0.01;
      expect(checked(operation, y)).toBeGreaterThan(1000);
    }
    expect(checked(operation, new Float32Array(x.length).fill(Number.NaN))).toBe(Number.POSITIVE_INFINITY);
  });

  test('in bfloat16 it rounds once, as the package does', () => {
    const converted = tensor(x, [x.length], 'bfloat16');
    const bits = (converted.array as Uint16Array).slice();
    converted.dispose();
    const y = new Uint16Array(bits.length);
    loops.withBfloat16(
      LOOPS[operation],
      new Float32Array(bits.length),
      bits,
      rows,
      columns,
      gamma,
      beta,
      epsilon,
      y,
    );
    const error = largestError({
      operation,
      dtype: 'bfloat16',
      rows,
      columns,
      epsilon,
      x: bits,
      y,
      gamma,
      beta,
    });
    expect(error).toBeGreaterThan(0.4);
    // Half a unit of the result, which beta may have made twice as large as what the units are counted at.
    expect(error).toBeLessThanOrEqual(hasBeta ? 1.001 : 0.501);
  });

  test('its text is shown, and is that of the function which runs', () => {
    const file = new URL('../../../web-demo/src/speed/plain_loops.js', import.meta.url);
    const text = loopSource(readFileSync(file, 'utf8'), operation, 'float32');
    const shown = new Function(`return ${text}`)() as loops.RowLoop;
    const y = new Float32Array(x.length);
    shown(x, rows, columns, gamma, beta, epsilon, y);
    expect(y).toEqual(byLoop(operation));
    const both = loopSource(readFileSync(file, 'utf8'), operation, 'bfloat16');
    expect(both.startsWith(text)).toBe(true);
    expect(both).toContain('function withBfloat16(');
    expect(both).toContain('const word = new Uint32Array(');
  });
});

test('numbers of 16 bits are read from their bits', () => {
  expect([0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x7c00, 0xfc00].map(fromFloat16)).toEqual([
    1,
    -2,
    2 ** -24,
    -0,
    65504,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
  expect(fromFloat16(0x7e00)).toBeNaN();
  expect([0x3f80, 0xc000, 0x7f80].map(fromBfloat16)).toEqual([1, -2, Number.POSITIVE_INFINITY]);
});
