import type { Layer, TensorLike } from 'layernorm';
import { type GoldenArray, type KerasCase, kerasCases } from './golden.js';
import { firstMismatch } from './ulp.js';

/** Keras' own float32 error is up to 1e-6: it computes E[x^2] - E[x]^2 for most of its cases. */
const RELATIVE = 2e-5;
const ABSOLUTE = 5e-6;

/** A recorded array as layers take it. */
export function arrayOf({ data, shape }: GoldenArray): { data: Float32Array; shape: number[] } {
  return { data: Float32Array.from(data), shape };
}

/** Sums of many products are recorded with the error of their largest terms. */
function expectClose(actual: ArrayLike<number>, expected: GoldenArray, absolute = ABSOLUTE): void {
  const largest = Math.max(1, ...expected.data.map(Math.abs));
  expect(firstMismatch(actual, expected.data, RELATIVE, absolute * largest)).toBeUndefined();
}

function expectWeights(layer: Layer, expected: readonly GoldenArray[]): void {
  expect(layer.weights.map(({ shape }) => [...shape])).toEqual(expected.map(({ shape }) => shape));
  layer.weights.forEach((weight, i) => {
    expectClose(weight.value, expected[i] as GoldenArray);
  });
}

/**
 * Runs what Keras recorded of a class through ours: outputs, losses, gradients, weights after training calls, and configs.
 * @param make - makes the layer of a config
 */
export function testKerasCases(
  className: string,
  count: number,
  make: (config: KerasCase['config']) => Layer,
): void {
  const cases = kerasCases(className);

  test('all cases are there', () => {
    expect(cases).toHaveLength(count);
  });

  describe.each(cases)('$name', (one) => {
    const { config, training, calls, mask, weight_names } = one;
    const call = (): { layer: Layer; y: { data: ArrayLike<number>; shape: number[] } } => {
      const layer = make(config);
      layer.build(one.input.shape);
      layer.setWeights(one.weights_before.map(arrayOf));
      let y: unknown;
      for (let i = 0; i < calls; i++) {
        y = layer.apply(arrayOf(one.input) as TensorLike, { training, mask: mask && arrayOf(mask) });
      }
      return { layer, y: y as { data: ArrayLike<number>; shape: number[] } };
    };

    test('config', () => {
      const layer = make(config);
      layer.build(one.input.shape);
      // As text, so that the order of the keys counts as well.
      expect(JSON.stringify(layer.getConfig())).toBe(JSON.stringify(config));
    });

    test('output', () => {
      const { layer, y } = call();
      expect(layer.weights.map(({ name }) => name)).toEqual(weight_names);
      expect(y.shape).toEqual(one.output.shape);
      expectClose(y.data, one.output);
      expectWeights(layer, one.weights_after);
    });

    test('losses', () => {
      expect(firstMismatch(call().layer.losses, one.losses, RELATIVE, ABSOLUTE)).toBeUndefined();
    });

    test('gradients', () => {
      // Where nothing is kept there is no gradient; Keras' `training=False` is `training: null` then.
      const layer = make(config);
      layer.build(one.input.shape);
      layer.setWeights(one.weights_before.map(arrayOf));
      for (let i = 0; i < calls; i++) {
        layer.apply(arrayOf(one.input) as TensorLike, {
          training: training || null,
          mask: mask && arrayOf(mask),
        });
      }
      const dx = layer.backward(arrayOf(one.dy) as TensorLike) as unknown as { data: Float32Array };
      const { input, ...others } = one.grads;
      expectClose(dx.data, input);
      expect(layer.trainableWeights.map(({ name }) => name)).toEqual(Object.keys(others));
      for (const { name, gradient, regularizer, shape, value } of layer.trainableWeights) {
        const penalty = regularizer?.gradient?.(value, shape);
        const recorded = others[name] as GoldenArray;
        const data = recorded.data.map((sum, i) => sum + (penalty?.[i] ?? 0));
        expectClose(gradient as Float32Array, { ...recorded, data });
      }
    });
  });
}
