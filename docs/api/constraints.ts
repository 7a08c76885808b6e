/**
 * Keras' `keras.constraints`: what projects a weight after each update. Layers take them by name, config or instance.
 *
 * @module
 */

export {
  deserializeConstraint as deserialize,
  getConstraint as get,
  MaxNorm,
  type MaxNormOptions,
  MinMaxNorm,
  type MinMaxNormOptions,
  NonNeg,
  type NormOptions,
  serializeConstraint as serialize,
  UnitNorm,
} from '../../js/src/layers/constraints.js';
