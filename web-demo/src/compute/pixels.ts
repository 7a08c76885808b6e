// Pictures of a picture: what is drawn before and after normalization.

import type { PictureView } from '../explore/protocol.js';

/**
 * The values of a picture and of its normalized form as pixels, every k-th row and column of large ones.
 *
 * Before, bytes are shown as they are. After, 0 becomes mid-grey, `-reach` black and `reach` white, each channel on its own.
 */
export function picturePixels(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  shape: readonly number[],
  reach: number,
  longestSide: number,
): PictureView {
  const [height, width, channels = 1] = shape as [number, number, number?];
  const step = Math.max(1, Math.ceil(Math.max(height, width) / longestSide));
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
  const before = new Uint8ClampedArray(rows * columns * 4);
  const after = new Uint8ClampedArray(rows * columns * 4);
  let to = 0;
  for (let r = 0; r < height; r += step) {
    for (let c = 0; c < width; c += step) {
      const from = (r * width + c) * channels;
      for (let k = 0; k < 3; k++) {
        const i = from + (channels === 1 ? 0 : k);
        before[to + k] = x[i] as number;
        after[to + k] = 127.5 + (reach > 0 ? ((y[i] as number) / reach) * 127.5 : 0);
      }
      before[to + 3] = after[to + 3] = 255;
      to += 4;
    }
  }
  return { width: columns, height: rows, step, before, after };
}
