// What a TypeScript user writes who has TensorFlow.js. Compiled only.
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { install, type LayerNormalizationArgs, patchBuiltins } from 'layernorm/tfjs';

const tf = { ...core, ...layers };
const { layerNormalization, spectralNormalization, classes } = install(tf, { replaceBuiltin: false });
const undo: () => void = patchBuiltins(tf);

const args: LayerNormalizationArgs = { axis: [1, 2], epsilon: 1e-5, gammaRegularizer: 'l2' };
const layer: layers.layers.Layer = layerNormalization(args);
const model: layers.Sequential = layerNormalization(tf.sequential(), { axis: -1 });
const symbolic: layers.SymbolicTensor = layerNormalization(tf.input({ shape: [4] }));
const tensor: core.Tensor = layerNormalization(tf.ones([2, 4]));
const wrapped: layers.layers.Layer = spectralNormalization({ layer: tf.layers.dense({ units: 1 }) });
const isOurs: boolean = layer instanceof classes.LayerNormalization;

// @ts-expect-error an argument that is not known
layerNormalization({ gamma: 1 });
// @ts-expect-error a layer is missing
spectralNormalization({ powerIterations: 2 });

export { isOurs, model, symbolic, tensor, undo, wrapped };
