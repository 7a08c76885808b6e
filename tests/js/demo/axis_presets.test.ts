import { presetsOf } from '../../../web-demo/src/explore/axis_presets.js';
import type { Axis, Dataset } from '../../../web-demo/src/parse/dataset.js';

const axesOf = (...nouns: (string | undefined)[]): Axis[] =>
  nouns.map((noun) => ({ size: 4, ...(noun === undefined ? {} : { noun }) }));
const presets = (kind: Dataset['kind'], ...nouns: (string | undefined)[]) =>
  presetsOf({ kind, axes: axesOf(...nouns) }).map(({ text, axis }) => [text, ...axis]);

test('what dimensions count gives sets of them a name', () => {
  expect(presets('npy', 'samples', 'features')).toEqual([
    ['each sample (D)', 1],
    ['each feature (N)', 0],
  ]);
  expect(presets('npy', 'samples', 'tokens', 'features')).toEqual([
    ['each token (D)', 2],
    ['each sample (T, D)', 1, 2],
  ]);
  expect(presets('npy', 'samples', 'channels', 'rows', 'columns')).toEqual([
    ['each sample (C, H, W)', 1, 2, 3],
    ['per pixel over channels (C)', 1],
    ['each channel of a sample (H, W)', 2, 3],
  ]);
  expect(presets('npy', 'samples', 'rows', 'columns', 'channels')[1]).toEqual([
    'per pixel over channels (C)',
    3,
  ]);
});

test('the rows and columns of a table are called so', () => {
  expect(presets('csv', 'rows', 'columns')).toEqual([
    ['each row', 1],
    ['each column', 0],
  ]);
});

test('of dimensions without a name the numbers are said', () => {
  expect(presets('npy', undefined)).toEqual([]);
  expect(presets('npy', undefined, undefined, undefined)).toEqual([
    ['along the last axis (axis 2)', 2],
    ['each sample (axes 1, 2)', 1, 2],
  ]);
});

test('a picture is one sample, or many', () => {
  expect(presets('picture', 'pixel rows', 'pixel columns')).toEqual([
    ['each row', 1],
    ['whole picture', 0, 1],
  ]);
  expect(presets('picture', 'pixel rows', 'pixel columns', 'channels')).toHaveLength(4);
});
