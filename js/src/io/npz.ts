// NumPy's .npz format: a zip archive of .npy files.

import { knownOptions, readMaxBytes } from '../files/options.js';
import { bytesOf, faulty, quoted } from '../files/parts.js';
import { openZip, type Unzip } from '../files/zip.js';
import { LayerNormError } from '../runtime/errors.js';
import type { FileArray } from './elements.js';
import { readNpyPart } from './npy.js';

/** Options of {@link readNpz}. */
export interface ReadNpzOptions {
  /**
   * What inflates what `savez_compressed` has written, where the runtime has no `DecompressionStream`:
   * `import * as fflate from 'fflate'`.
   */
  unzip?: Unzip | null;
  /** The most bytes that the arrays that are read may unpack to. @defaultValue 2 ** 30 */
  maxBytes?: number | null;
}

/** A `.npz` file. */
export interface NpzFile {
  /** The names of the arrays: those of their files, without `.npy`. */
  readonly names: readonly string[];
  /**
   * Unpacks and reads one of them.
   * @throws {@link LayerNormError} `ERR_FILE` as {@link readNpy}, and for zip bombs; `ERR_ARGUMENT` where there is no such array
   */
  get(name: string): Promise<FileArray>;
}

const SUFFIX = '.npy';

/**
 * Reads the directory of a `.npz` file. Its arrays are unpacked when they are asked for.
 *
 * @example
 * ```ts
 * const file = readNpz(await readFile('weights.npz'));
 * const y = layerNorm(x, { gamma: await file.get('gamma'), beta: await file.get('beta') });
 * ```
 *
 * @param bytes - the file
 * @param options - see {@link ReadNpzOptions}
 * @throws {@link LayerNormError} `ERR_FILE` for files that are damaged or no zip archive, `ERR_ARGUMENT`
 */
export function readNpz(
  bytes: Uint8Array | ArrayBufferLike | ArrayBufferView,
  options?: ReadNpzOptions | null,
): NpzFile {
  const { unzip, maxBytes } = knownOptions('readNpz', options, { unzip: true, maxBytes: true });
  const data = bytesOf('readNpz', 'bytes', bytes);
  const archive = openZip('readNpz', data, readMaxBytes('readNpz', maxBytes), unzip ?? undefined);
  const other = archive.names.find((name) => !name.endsWith(SUFFIX));
  if (other !== undefined) throw faulty(quoted(other), 'it is in the .npz file, expected .npy files alone');
  const names = archive.names.map((name) => name.slice(0, -SUFFIX.length));
  const known = new Set(names);
  return {
    names,
    async get(name) {
      if (!known.has(name)) {
        throw new LayerNormError(
          'ERR_ARGUMENT',
          `NpzFile.get: there is no array ${quoted(name)}, expected one of ${names.slice(0, 12).map(quoted).join(', ') || 'none'}`,
        );
      }
      return readNpyPart(quoted(name + SUFFIX), await archive.read(name + SUFFIX));
    },
  };
}
