import { picturePixels } from '../../../web-demo/src/compute/pixels.js';
import { pictureOf } from '../../../web-demo/src/parse/picture.js';

const picture = (width: number, height: number, data: number[]) => ({
  width,
  height,
  data: new Uint8ClampedArray(data),
});

test('colours become three channels', () => {
  const { axes, data } = pictureOf(picture(2, 1, [1, 2, 3, 255, 4, 5, 6, 255]), 'p.png');
  expect(axes.map(({ size }) => size)).toEqual([1, 2, 3]);
  expect([...data]).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a grey picture has no channels', () => {
  const { axes, data } = pictureOf(picture(1, 2, [7, 7, 7, 255, 9, 9, 9, 255]), 'p.png');
  expect(axes.map(({ size }) => size)).toEqual([2, 1]);
  expect([...data]).toEqual([7, 9]);
});

test('drawn after, 0 is mid-grey and the ends are black and white', () => {
  const { before, after, width, height } = picturePixels([0, 100, 255], [-2, 0, 2], [1, 3], 2, 100);
  expect([width, height]).toEqual([3, 1]);
  expect([...before]).toEqual([0, 0, 0, 255, 100, 100, 100, 255, 255, 255, 255, 255]);
  expect([...after]).toEqual([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]);
});

test('a constant picture is mid-grey after', () => {
  expect([...picturePixels([5, 5, 5], [0, 0, 0], [1, 1, 3], 0, 100).after]).toEqual([128, 128, 128, 255]);
});

test('large pictures are drawn thinner, not cut off', () => {
  const values = Array.from({ length: 5 * 7 }, (_, i) => i);
  const view = picturePixels(values, values, [5, 7], 34, 4);
  expect([view.height, view.width, view.step]).toEqual([3, 4, 2]);
  expect([...view.before].filter((_, i) => i % 4 === 0)).toEqual([
    0, 2, 4, 6, 14, 16, 18, 20, 28, 30, 32, 34,
  ]);
});
