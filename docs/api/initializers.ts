/**
 * Keras' `keras.initializers`: the first values of a weight. Layers take them by name, config or instance.
 *
 * @module
 */

export {
  Constant,
  type ConstantOptions,
  deserializeInitializer as deserialize,
  type FanDistribution,
  type FanMode,
  type FanOptions,
  GlorotNormal,
  GlorotUniform,
  getInitializer as get,
  HeNormal,
  HeUniform,
  Identity,
  type IdentityOptions,
  LecunNormal,
  LecunUniform,
  type NormalOptions,
  Ones,
  Orthogonal,
  type OrthogonalOptions,
  RandomNormal,
  type RandomOptions,
  RandomUniform,
  SeedGenerator,
  type SeedGeneratorOptions,
  STFT,
  type STFTOptions,
  serializeInitializer as serialize,
  TruncatedNormal,
  type UniformOptions,
  VarianceScaling,
  type VarianceScalingOptions,
  Zeros,
} from '../../js/src/layers/initializers.js';
