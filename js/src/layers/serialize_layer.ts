import { BatchNormalization } from './batch_normalization.js';
import { type LayerClass, layerOf, type SerializedLayer } from './envelope.js';
import { GroupNormalization } from './group_normalization.js';
import type { Layer } from './layer.js';
import { LayerNormalization } from './layer_normalization.js';
import { Normalization } from './normalization.js';
import { RMSNormalization } from './rms_normalization.js';
import type { CustomObjects, SerializedIdentifier } from './serialization.js';
import { SpectralNormalization } from './spectral_normalization.js';
import { UnitNormalization } from './unit_normalization.js';

/**
 * Makes the layer that `serializeLayer` or Keras wrote, and builds it where it was built. The short form of Keras 2 and
 * TensorFlow.js, `{ class_name, config }`, is read as well.
 *
 * @example
 * ```ts
 * for (const saved of model.config.layers) {
 *   if (/Normalization$/.test(saved.class_name)) layers.push(deserializeLayer(saved));
 * }
 * ```
 *
 * @param envelope - the layer as it lies in the config of a model
 * @param customObjects - classes of your own, with a static `fromConfig`, and functions, by the names that the config has for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for a class that is not known, with all that are; what `fromConfig` and `build` throw
 */
export function deserializeLayer(
  envelope: SerializedIdentifier | SerializedLayer,
  customObjects?: CustomObjects | null,
): Layer {
  const classes: Record<string, LayerClass<Layer>> = {
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    Normalization,
    RMSNormalization,
    SpectralNormalization,
    UnitNormalization,
  };
  return layerOf('deserializeLayer', envelope, classes, customObjects);
}
