// The variables of a model's weights: one walk over the groups, then the arrays that are asked for.

import { faulty, quoted } from '../files/parts.js';
import { asking, countOf, type Hdf5Dataset, type Hdf5File, type Hdf5Group } from './hdf5.js';

/** The values of a variable. */
export interface KerasWeight {
  /** The elements, row-major: those of 16 bits as float32, which holds all of them; integers of 64 bits as float64. */
  readonly data: Float32Array | Float64Array | Int32Array;
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[];
  /** The type that the file has them in: 'float32', 'float64', 'float16', 'bfloat16', 'int64', ... */
  readonly dtype: string;
}

/** The variables of one layer. */
export interface KerasVariables {
  /** Where they lie in the file, such as `layers/dense_1/vars`. */
  readonly path: string;
  /** The name of their layer; null in files of older versions. */
  readonly layerName: string | null;
  /** How many there are. */
  readonly count: number;
}

/** The same while the file is open. */
export interface OpenVariables extends KerasVariables {
  /** Reads one of them. They are in the order in which Keras lists them: those that are trained first. */
  read(index: number): KerasWeight;
}

/** All variables of a file, by the group of their layer: that of `layers/dense_1/vars` is `layers/dense_1`. */
export type Variables = ReadonlyMap<string, OpenVariables>;

/** Groups in each other: a layer in a model adds two. */
const MAX_DEPTH = 100;
/** The least that a group or an array takes in a file. */
const BYTES_PER_OBJECT = 64;
const MAX_RANK = 32;
/** Where Keras 2.13 and before have the layers of a model. */
const OLD_CONTAINER = '_layer_checkpoint_dependencies';

/** The types that are read, and the bytes of an element. */
const BYTES: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ...([
    ['float16', 2],
    ['float32', 4],
    ['float64', 8],
    ['opaque2', 2],
  ] as const),
  ...([
    ['int8', 1],
    ['int16', 2],
    ['int32', 4],
    ['int64', 8],
  ] as const),
  ...([
    ['uint8', 1],
    ['uint16', 2],
    ['uint32', 4],
    ['uint64', 8],
  ] as const),
]);

/**
 * Finds all variables of a file.
 * @param fileBytes - how large the file is, which bounds what can be in it
 * @param maxBytes - what an array may come to
 * @throws {@link LayerNormError} `ERR_FILE`
 */
export function findVariables(part: string, file: Hdf5File, fileBytes: number, maxBytes: number): Variables {
  const found = new Map<string, OpenVariables>();
  let left = 16 + fileBytes / BYTES_PER_OBJECT;
  let level: [string, Hdf5Group][] = [['', file.root]];
  for (let depth = 0; level.length > 0; ++depth) {
    if (depth > MAX_DEPTH) throw faulty(part, `its groups lie more than ${MAX_DEPTH} deep in each other`);
    const next: [string, Hdf5Group][] = [];
    for (const [path, group] of level) {
      for (const key of asking(part, () => group.keys)) {
        if (--left < 0) throw faulty(part, 'its groups are linked in a circle');
        if (key === 'vars') {
          const vars = asking(part, () => group.get(key));
          if (vars?.kind === 'group') found.set(path, variablesOf(part, vars, path, maxBytes));
          continue;
        }
        const child = asking(part, () => group.get(key));
        const name = key === OLD_CONTAINER ? 'layers' : key;
        if (child?.kind === 'group') next.push([path === '' ? name : `${path}/${name}`, child]);
      }
    }
    level = next;
  }
  return found;
}

function variablesOf(part: string, group: Hdf5Group, path: string, maxBytes: number): OpenVariables {
  const where = path === '' ? 'vars' : `${path}/vars`;
  const place = `${part}: ${quoted(where).slice(1, -1)}`;
  const keys = asking(place, () => group.keys);
  const name = asking(place, () => group.attribute('name'));
  const count = keys.filter((key) => /^\d+$/.test(key)).length;
  for (let i = 0; i < count; ++i) {
    if (!keys.includes(`${i}`)) throw faulty(place, `variable ${i} of ${count} is missing`);
  }
  return {
    path: where,
    layerName: typeof name === 'string' ? name.replace(/\0+$/, '') : null,
    count,
    read(index) {
      const dataset = asking(place, () => group.get(`${index}`));
      if (dataset?.kind !== 'dataset') throw faulty(`${place}/${index}`, 'it is no array');
      return readDataset(`${place}/${index}`, dataset, maxBytes);
    },
  };
}

function readDataset(part: string, dataset: Hdf5Dataset, maxBytes: number): KerasWeight {
  const shape = [...asking(part, () => dataset.shape)];
  const stored = asking(part, () => dataset.dtype);
  const mark = asking(part, () => dataset.attribute('dtype'));
  const isBrain = typeof mark === 'string' && mark.replace(/\0+$/, '') === 'bfloat16';
  const dtype = isBrain ? 'bfloat16' : stored;
  const size = BYTES.get(stored);
  if (size === undefined || (stored === 'opaque2' && !isBrain)) {
    throw faulty(part, `its elements are of type ${quoted(stored)}, expected numbers`);
  }
  if (shape.length > MAX_RANK || !shape.every((one) => Number.isSafeInteger(one) && one >= 0)) {
    throw faulty(part, `its shape is [${shape.slice(0, MAX_RANK).join(', ')}], expected sizes`);
  }
  const count = countOf(shape);
  if (count * size > maxBytes) {
    throw faulty(
      part,
      `its shape [${shape.join(', ')}] comes to more than the ${maxBytes} bytes of maxBytes`,
    );
  }
  const values = count === 0 ? [] : asking(part, () => dataset.read());
  const length = stored === 'opaque2' ? 2 * count : count;
  if (values?.length !== length) {
    throw faulty(part, `it has ${values?.length} elements, its shape [${shape.join(', ')}] ${length}`);
  }
  return { data: numbersOf(part, values, stored, isBrain), shape, dtype };
}

function numbersOf(
  part: string,
  values: ArrayLike<number | bigint>,
  stored: string,
  isBrain: boolean,
): Float32Array | Float64Array | Int32Array {
  if (isBrain && (stored === 'opaque2' || stored === 'uint16')) return fromBrain(values as ArrayLike<number>);
  const make =
    stored.endsWith('64') || stored === 'uint32'
      ? Float64Array
      : stored.includes('int')
        ? Int32Array
        : Float32Array;
  const data = new make(values.length);
  for (let i = 0; i < data.length; ++i) {
    const value = values[i];
    if (typeof value === 'number') data[i] = value;
    else if (typeof value === 'bigint') data[i] = Number(value);
    else throw faulty(part, 'it has no data');
  }
  return data;
}

/** bfloat16 is the upper half of float32: here as numbers of 16 bits, or as bytes, the lower first. */
function fromBrain(values: ArrayLike<number>): Float32Array {
  const inBytes = values instanceof Uint8Array;
  const bits = new Uint32Array(inBytes ? values.length / 2 : values.length);
  for (let i = 0; i < bits.length; ++i) {
    const half = inBytes
      ? (values[2 * i] as number) | ((values[2 * i + 1] as number) << 8)
      : (values[i] as number);
    bits[i] = half << 16;
  }
  return new Float32Array(bits.buffer);
}
