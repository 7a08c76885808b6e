// Which reader a file goes to: its first bytes decide, not its name.

import { parseCsv } from './csv.js';
import { type Dataset, ParseError, type Progress } from './dataset.js';
import { isNpy, parseNpy } from './npy.js';
import { decodePicture } from './picture.js';

/** Reads a picture, text with numbers, or a .npy file. */
export async function openFile(file: File, onProgress: Progress): Promise<Dataset> {
  if (file.size === 0) throw new ParseError('The file is empty.');
  const head = new Uint8Array(await file.slice(0, 512).arrayBuffer());
  if (isNpy(head)) return parseNpy(await file.arrayBuffer(), file.name);
  if (file.type.startsWith('image/')) return decodePicture(file, file.name);
  refuseOthers(head, file.name);
  return parseCsv(await readText(file, head), file.name, onProgress);
}

/** Formats that are often taken for one of the three, each with the way out. */
function refuseOthers(head: Uint8Array, name: string): void {
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x50, 0x4b)) {
    throw new ParseError(
      /\.xls[xm]$/i.test(name)
        ? 'This is an Excel workbook: export the sheet as CSV.'
        : /\.npz$/i.test(name)
          ? 'This .npz file may hold several arrays: save one of them with numpy.save as .npy.'
          : 'This is a zip archive. Expected a picture, CSV or .npy.',
    );
  }
  if (starts(0x1f, 0x8b)) throw new ParseError('This file is compressed with gzip: unpack it first.');
  if (starts(0x25, 0x50, 0x44, 0x46)) {
    throw new ParseError('This is a PDF document. Expected a picture, CSV or .npy.');
  }
  const isUtf16 = starts(0xff, 0xfe) || starts(0xfe, 0xff);
  if (!isUtf16 && head.includes(0)) {
    throw new ParseError('This is neither text nor a picture that the browser knows nor a .npy file.');
  }
}

async function readText(file: File, head: Uint8Array): Promise<string> {
  const encoding =
    head[0] === 0xff && head[1] === 0xfe
      ? 'utf-16le'
      : head[0] === 0xfe && head[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  try {
    return new TextDecoder(encoding).decode(await file.arrayBuffer());
  } catch {
    throw new ParseError('The text is too long for this browser. Save the numbers as .npy instead.');
  }
}
