// What Keras wraps the config of a layer in when it saves one.

import { isOptions } from '../ops/options.js';
import { describe, LayerNormError } from '../runtime/errors.js';
import type { Config, CustomObjects, SerializedIdentifier, SerializedObject } from './serialization.js';

/** What can be saved: the layers of this package, and objects of your own that say as much of themselves. */
export interface SavableLayer {
  /** The name of the class, as Keras has it. */
  readonly className?: string;
  /** Where Keras has the class; null for a class of your own. @defaultValue 'keras.layers' */
  readonly module?: string | null;
  /** The name that a class of your own goes by. @defaultValue null */
  readonly registeredName?: string | null;
  /** The arguments of the constructor, with Keras' names: JSON. */
  getConfig?(): Config;
  /** What `buildFromConfig` builds the layer by; null before it is built. */
  getBuildConfig?(): Config | null;
}

/** A layer as Keras 3 writes it into a model's config. */
export interface SerializedLayer extends SerializedObject {
  /** What the layer was built by; it lacks where it was not. */
  build_config?: Config;
}

/** A class of layers, as {@link deserializeLayer} needs it. */
export interface LayerClass<L> {
  fromConfig(config: Config, customObjects?: CustomObjects | null): L;
}

/**
 * A layer as Keras 3 writes it: its config, the name of its class, and what it was built by.
 * @param layer - a layer of this package, or any object with `className` and `getConfig`
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for anything else, and what `getConfig` throws
 */
export function serializeLayer(layer: SavableLayer): SerializedLayer {
  const { className, getConfig } = layer ?? {};
  if (typeof className !== 'string' || typeof getConfig !== 'function') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `serializeLayer: layer is ${describe(layer)}, expected a layer, or an object with className and getConfig`,
    );
  }
  const built = layer.getBuildConfig?.() ?? undefined;
  return {
    module: layer.module === undefined ? 'keras.layers' : layer.module,
    class_name: className,
    config: layer.getConfig?.() as Config,
    registered_name: layer.registeredName ?? null,
    ...(built === undefined ? {} : { build_config: built }),
  };
}

/**
 * Makes the layer that an envelope describes, of Keras 3 or in the short form of Keras 2 and TensorFlow.js, and builds it where
 * the envelope says by what.
 * @param classes - the classes that may come, by name
 * @param customObjects - classes of your own, with a static `fromConfig`, by the names that the envelope has for them
 * @throws {@link LayerNormError} `ERR_ARGUMENT` for a class that is in neither
 */
export function layerOf<L>(
  operation: string,
  envelope: SerializedIdentifier | SerializedLayer,
  classes: Readonly<Record<string, LayerClass<L>>>,
  customObjects: CustomObjects | null | undefined,
): L {
  const {
    class_name: name,
    config,
    registered_name: registered,
    build_config: built,
  } = (isOptions(envelope) ? envelope : {}) as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || !isOptions(config)) {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: layer is ${describe(envelope)}, expected an object with class_name and config`,
    );
  }
  const names = [registered, name].filter((one): one is string => typeof one === 'string');
  const own = names.find((one) => customObjects && Object.hasOwn(customObjects, one));
  const known = Object.hasOwn(classes, name) ? classes[name] : undefined;
  const Class = own === undefined ? known : (customObjects?.[own] as LayerClass<L>);
  if (typeof Class?.fromConfig !== 'function') {
    throw new LayerNormError(
      'ERR_ARGUMENT',
      `${operation}: Could not locate class '${name}', expected ` +
        `${Object.keys(classes).length > 0 ? `one of ${Object.keys(classes).join(', ')}, or ` : ''}a class with a static fromConfig in ` +
        'customObjects',
    );
  }
  const layer = Class.fromConfig(config as Config, customObjects);
  const { buildFromConfig } = layer as { buildFromConfig?: (config: Config) => void };
  if (isOptions(built)) buildFromConfig?.call(layer, built as Config);
  return layer;
}
