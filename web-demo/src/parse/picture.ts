// Pictures as tensors: [height, width, 3], or [height, width] when every pixel is grey.

import { type Dataset, ParseError } from './dataset.js';

/** Decodes whatever the browser can show. */
export async function decodePicture(file: Blob, name: string): Promise<Dataset> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new ParseError(
      'The browser cannot decode this picture. Expected PNG, JPEG, WebP, GIF or another format that it can show.',
    );
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context)
    throw new ParseError(`A picture of ${width} × ${height} pixels is too large for this browser.`);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  try {
    return pictureOf(context.getImageData(0, 0, width, height), name);
  } catch {
    throw new ParseError(`A picture of ${width} × ${height} pixels is too large for this browser.`);
  }
}

/** Bytes of four channels become three, or one when all three are equal everywhere. The last one, opacity, is left out. */
export function pictureOf(
  { data, width, height }: Pick<ImageData, 'data' | 'width' | 'height'>,
  name: string,
): Dataset {
  const pixels = width * height;
  let isGrey = true;
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
  return {
    name,
    kind: 'picture',
    data: values,
    notes: [isGrey ? 'Grey, 0 to 255.' : 'Red, green and blue, each 0 to 255.'],
    axes: isGrey
      ? size
      : [...size, { size: 3, noun: 'channels', names: ['red', 'green', 'blue'], namesAreUnique: true }],
  };
}
