/**
 * Keras' `keras.regularizers`: what adds a loss that depends on a weight. Layers take them by name, config or instance.
 *
 * @module
 */

export {
  deserializeRegularizer as deserialize,
  getRegularizer as get,
  L1,
  L1L2,
  type L1L2Options,
  type L1Options,
  L2,
  type L2Options,
  type OrthogonalMode,
  OrthogonalRegularizer,
  type OrthogonalRegularizerOptions,
  serializeRegularizer as serialize,
} from '../../js/src/layers/regularizers.js';
