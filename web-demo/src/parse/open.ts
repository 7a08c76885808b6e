// Which reader a file goes to: its first bytes decide, not its name.

import { parseCsv } from './csv.js';
import { type Dataset, ParseError, type Progress } from './dataset.js';
import { MAX_BYTES } from './elements.js';
import { otherFormat } from './formats.js';
import { isNpy, parseNpy } from './npy.js';
import { decodePicture, isPicture } from './picture.js';
import { isSafetensors, openSafetensors, type SafetensorsFile } from './safetensors.js';

/** How much of a file is looked at to see what it is. */
const HEAD_BYTES = 1024;
/** Text takes several times as much memory as its file. */
const MAX_TEXT = 200e6;

/** Reads a picture, text with numbers, or a .npy file; of a .safetensors file what it holds. */
export async function openFile(file: File, onProgress: Progress): Promise<Dataset | SafetensorsFile> {
  try {
    return await open(file, onProgress);
  } catch (error) {
    throw readable(error);
  }
}

async function open(file: File, onProgress: Progress): Promise<Dataset | SafetensorsFile> {
  const { name, size } = file;
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (size === 0 || head.length === 0) throw new ParseError('The file is empty.');
  if (isNpy(head)) {
    checkFileSize(size, MAX_BYTES + 1e5, 'Save a part of the array, such as x[:1000].');
    return parseNpy(await file.arrayBuffer(), name);
  }
  if (/\.safetensors$/i.test(name) || isSafetensors(head, size)) return openSafetensors(file, name);
  // An .svg is text too, and a picture only for those that say so.
  if (file.type.startsWith('image/') || isPicture(head)) return decodePicture(file, name, head);
  const other = otherFormat(head, name);
  if (other) throw new ParseError(other);
  checkFileSize(size, MAX_TEXT, 'Save the numbers as .npy, which takes less room, or a part of them.');
  return parseCsv(await readText(file, head), name, onProgress);
}

function checkFileSize(size: number, most: number, way: string): void {
  if (size <= most) return;
  const megabytes = (n: number) => `${Math.ceil(n / 1e6).toLocaleString('en')} MB`;
  throw new ParseError(
    `The file has ${megabytes(size)}, which is more than a page can hold: at most ${megabytes(most)}. ${way}`,
  );
}

/** What browsers say when they cannot read a file, or have no memory for it, in words that help. */
export function readable(error: unknown): Error {
  if (error instanceof ParseError) return error;
  const name = (error as { name?: unknown } | undefined)?.name;
  if (name === 'NotReadableError' || name === 'NotFoundError' || name === 'SecurityError') {
    return new ParseError(
      'The browser cannot read it: it is a folder, or it has been changed or moved since. Choose the file once more.',
    );
  }
  if (error instanceof RangeError) {
    return new ParseError('There is not enough memory for it in this browser. Open a smaller part of it.');
  }
  return error instanceof Error ? error : new Error(String(error));
}

async function readText(file: File, head: Uint8Array): Promise<string> {
  const encoding =
    head[0] === 0xff && head[1] === 0xfe
      ? 'utf-16le'
      : head[0] === 0xfe && head[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    throw new ParseError('The text is too long for this browser. Save the numbers as .npy instead.');
  }
}
