// Pictures as tensors: [height, width, 3], or [height, width] when every pixel is grey.

import { type Dataset, ParseError } from './dataset.js';
import { checkSize } from './elements.js';

/** How the pictures that browsers know begin: files that are dropped do not always say what they are. */
const SIGNATURES: readonly { bytes: readonly (number | undefined)[] }[] = [
  { bytes: [0x89, 0x50, 0x4e, 0x47] }, // PNG
  { bytes: [0xff, 0xd8, 0xff] }, // JPEG
  { bytes: [0x47, 0x49, 0x46, 0x38] }, // GIF8
  { bytes: [...text('RIFF'), undefined, undefined, undefined, undefined, ...text('WEBP')] },
  { bytes: [undefined, undefined, undefined, undefined, ...text('ftypavif')] },
  { bytes: [0x49, 0x49, 0x2a, 0x00] }, // TIFF
  { bytes: [0x4d, 0x4d, 0x00, 0x2a] },
];

/** What photos of telephones are called inside: HEIC, which few browsers decode. */
const HEIC = /^ftyp(heic|heix|heim|heis|hevc|mif1|msf1)/;

/** Whether a file starts as a picture does that a browser may know. */
export function isPicture(head: Uint8Array): boolean {
  return (
    isHeic(head) ||
    SIGNATURES.some(({ bytes }) => bytes.every((byte, i) => byte === undefined || head[i] === byte))
  );
}

function isHeic(head: Uint8Array): boolean {
  return HEIC.test(String.fromCharCode(...head.subarray(4, 12)));
}

function text(characters: string): number[] {
  return [...characters].map((character) => character.charCodeAt(0));
}

/** Decodes whatever the browser can show. */
export async function decodePicture(file: Blob, name: string, head: Uint8Array): Promise<Dataset> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new ParseError(cannotDecode(head, name));
  }
  const { width, height } = bitmap;
  checkSize(width * height * 3, false, 'Make the picture smaller.');
  const tooLarge = () =>
    new ParseError(
      `A picture of ${width} × ${height} pixels is too large for this browser. Make it smaller.`,
    );
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw tooLarge();
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  try {
    return pictureOf(context.getImageData(0, 0, width, height), name);
  } catch {
    throw tooLarge();
  }
}

function cannotDecode(head: Uint8Array, name: string): string {
  if (isHeic(head)) return 'This is a HEIC photo, which this browser cannot decode. Export it as JPEG.';
  if (/\.svgz?$/i.test(name))
    return 'This is an SVG drawing, which has no pixels of its own. Export it as PNG.';
  if (/\.tiff?$/i.test(name))
    return 'This is a TIFF picture, which this browser cannot decode. Export it as PNG.';
  return 'The browser cannot decode this picture. Expected PNG, JPEG, WebP, GIF or another format that it can show.';
}

/**
 * Bytes of four channels become three, or one when all three are equal everywhere. The last one, opacity, is left out.
 * @param isColour - whether there are three in any case
 * @param isMirrored - which it says
 */
export function pictureOf(
  { data, width, height }: Pick<ImageData, 'data' | 'width' | 'height'>,
  name: string,
  { isColour = false, isMirrored = false }: { isColour?: boolean; isMirrored?: boolean } = {},
): Dataset {
  const pixels = width * height;
  let isGrey = !isColour;
  for (let i = 0; i < data.length && isGrey; i += 4) {
    isGrey = data[i] === data[i + 1] && data[i] === data[i + 2];
  }
  const channels = isGrey ? 1 : 3;
  const values = new Uint8Array(pixels * channels);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) values[p * channels + c] = data[p * 4 + c] as number;
  }
  const size = [
    { size: height, noun: 'pixel rows' },
    { size: width, noun: 'pixel columns' },
  ];
  const range = isGrey ? 'Grey, 0 to 255' : 'Red, green and blue, each 0 to 255';
  return {
    name,
    kind: 'picture',
    data: values,
    notes: [`${range}${isMirrored ? '; left and right are swapped, as in a mirror' : ''}.`],
    axes: isGrey
      ? size
      : [...size, { size: 3, noun: 'channels', names: ['red', 'green', 'blue'], namesAreUnique: true }],
  };
}
