import {
  elementIndex,
  groupAt,
  groupsOf,
  layoutOf,
  positionAt,
} from '../../../web-demo/src/compute/groups.js';
import { differing, movementOf } from '../../../web-demo/src/compute/movement.js';
import { EXAMPLE_NAMES, exampleOf, isExampleName } from '../../../web-demo/src/data/examples.js';
import { contrastOf, defaultChannel, defaultSpanned } from '../../../web-demo/src/explore/grid/axes.js';
import { Edits } from '../../../web-demo/src/explore/grid/editing.js';
import { fits, geometryOf, linesOf } from '../../../web-demo/src/explore/grid/geometry.js';
import {
  cellText,
  changeSentence,
  movedSentence,
  parseNumber,
  sharers,
  stepFor,
} from '../../../web-demo/src/explore/grid/sentences.js';

describe('examples', () => {
  test.each(EXAMPLE_NAMES.filter((name) => name !== 'iris'))('%s has as many values as its shape', (name) => {
    const { axes, data, notes } = exampleOf(name);
    expect(data).toBeInstanceOf(Float32Array);
    expect(data).toHaveLength(axes.reduce((product, { size }) => product * size, 1));
    for (const { size, names } of axes) expect(names?.length ?? size).toBe(size);
    expect(notes).toHaveLength(1);
  });

  test('the second and the third sample are the first, exactly', () => {
    const { data } = exampleOf('batch');
    const [first, second, third] = [0, 1, 2].map((s) => [...data.slice(s * 8, s * 8 + 8)]);
    expect(second).toEqual(first?.map((value) => value * 10));
    expect(third).toEqual(first?.map((value) => value + 5));
  });

  test('names of the address', () => {
    expect(isExampleName('maps')).toBe(true);
    expect(isExampleName('toString')).toBe(false);
    expect(isExampleName(undefined)).toBe(false);
  });
});

describe('which axes are taken at first', () => {
  test('the last one, and that of channels where one is called so', () => {
    expect([defaultChannel(exampleOf('batch')), defaultSpanned(exampleOf('batch'))]).toEqual([1, [1]]);
    expect([defaultChannel(exampleOf('tokens')), defaultSpanned(exampleOf('tokens'))]).toEqual([2, [2]]);
    expect([defaultChannel(exampleOf('maps')), defaultSpanned(exampleOf('maps'))]).toEqual([1, [1, 2, 3]]);
  });

  test('those of a picture', () => {
    const grey = { kind: 'picture', axes: [{ size: 4 }, { size: 6 }] } as const;
    const colour = {
      kind: 'picture',
      axes: [{ size: 4 }, { size: 6 }, { size: 3, noun: 'channels' }],
    } as const;
    expect([defaultChannel(grey), defaultSpanned(grey)]).toEqual([undefined, [1]]);
    expect([defaultChannel(colour), defaultSpanned(colour)]).toEqual([2, [1, 2]]);
    expect(contrastOf({ method: 'rms', axis: [1], groups: 1 }, grey)).toMatchObject({
      method: 'batch',
      axis: [],
    });
  });

  test('beside a method stands batch normalization, beside that layer normalization', () => {
    const maps = exampleOf('maps');
    const of = (method: 'layer' | 'group' | 'batch', axis: number[]) =>
      contrastOf({ method, axis, groups: 2 }, maps);
    expect(of('layer', [3])).toMatchObject({ method: 'batch', axis: [1] });
    expect(of('group', [2])).toMatchObject({ method: 'batch', axis: [2] });
    expect(of('batch', [1])).toMatchObject({ method: 'layer', axis: [1, 2, 3] });
  });
});

describe('the geometry', () => {
  test('[N, D]: a row of cells', () => {
    expect(geometryOf([6, 8], 1)).toMatchObject({
      samples: 6,
      size: 8,
      blocks: 1,
      rows: 1,
      columns: 8,
      offsets: [0, 1, 2, 3, 4, 5, 6, 7],
      perPage: 12,
    });
  });

  test('[B, T, D]: a block for each token', () => {
    const { samples, size, blocks, rows, columns, offsets } = geometryOf([2, 3, 6], 2);
    expect([samples, size, blocks, rows, columns]).toEqual([2, 18, 3, 1, 6]);
    expect(offsets).toEqual(Array.from({ length: 18 }, (_, i) => i));
  });

  test('[N, C, H, W] and [N, H, W, C]: a map for each channel', () => {
    const first = geometryOf([2, 4, 3, 2], 1);
    expect([first.blocks, first.rows, first.columns, first.blockDims]).toEqual([4, 3, 2, [1]]);
    expect(first.offsets).toEqual(Array.from({ length: 24 }, (_, i) => i));
    const last = geometryOf([2, 3, 2, 4], 3);
    expect([last.blocks, last.rows, last.columns, last.blockDims]).toEqual([4, 3, 2, [3]]);
    expect(last.offsets.slice(0, 7)).toEqual([0, 4, 8, 12, 16, 20, 1]);
  });

  test('one dimension is one sample', () => {
    expect(geometryOf([5], 0)).toMatchObject({ samples: 1, size: 5, blocks: 1, columns: 5 });
  });

  test.each([
    [[10, 1000], 1],
    [[4, 100, 768], 2],
    [[4, 64, 32, 32], 1],
    [[2, 3, 4, 5, 6], 4],
    [[7, 1], 1],
  ])('of %p, at most 48 cells are drawn, all different and inside the sample', (shape, channel) => {
    const { offsets, size, blocks, rows, columns, perPage } = geometryOf(shape, channel);
    expect(offsets).toHaveLength(blocks * rows * columns);
    expect(new Set(offsets).size).toBe(offsets.length);
    expect(offsets.length).toBeLessThanOrEqual(48);
    expect(Math.max(...offsets)).toBeLessThan(size);
    expect(perPage).toBeGreaterThanOrEqual(2);
    expect(perPage).toBeLessThanOrEqual(12);
  });

  test.each([
    [[6, 8], 1, 230],
    [[6, 8], 1, 150],
    [[2, 3, 6], 2, 700],
    [[2, 4, 3, 3], 1, 230],
    [[2, 40], 1, 100],
  ])('of %p, each cell stands in one line, and fits: %i', (shape, channel, width) => {
    const geometry = geometryOf(shape, channel);
    const { lines, cell, across, blocksAcross } = linesOf(geometry, width);
    expect([...lines.flat()].sort((a, b) => a - b)).toEqual(geometry.offsets.map((_, i) => i));
    expect(cell).toBeGreaterThanOrEqual(24);
    expect(blocksAcross * across * cell + (blocksAcross - 1) * 8).toBeLessThanOrEqual(width);
    expect(fits(geometry, width)).toBe(across === geometry.columns);
  });

  test('maps beside each other make lines across', () => {
    expect(linesOf(geometryOf([2, 4, 2, 2], 1), 120).lines).toEqual([
      [0, 1, 4, 5],
      [2, 3, 6, 7],
      [8, 9, 12, 13],
      [10, 11, 14, 15],
    ]);
  });
});

test('positionAt is where elementIndex has it', () => {
  for (const [method, axis, groups] of [
    ['layer', [1, 3], 1],
    ['group', [1], 2],
    ['batch', [2], 1],
  ] as const) {
    const layout = layoutOf([2, 4, 3, 5], { method, axis, groups }, true);
    const { count, size } = groupsOf(layout);
    for (let g = 0; g < count; g++) {
      for (let p = 0; p < size; p++) {
        const index = elementIndex(layout, g, p);
        expect([groupAt(layout, index).group, positionAt(layout, index)]).toEqual([g, p]);
      }
    }
  }
});

describe('movement', () => {
  test.each([Float32Array, Float64Array])(
    'counts other bits, and the samples that they are in: %p',
    (Type) => {
      const before = Type.from([1, 2, 3, 4, Number.NaN, 0]);
      const after = Type.from([1, 2.5, 3, 5, Number.NaN, -0]);
      const differs = differing(before, after);
      expect([0, 1, 2, 3, 4, 5].map(differs)).toEqual([false, true, false, true, false, true]);
      expect(movementOf(before, after, 2)).toEqual({ values: 3, samples: 3, largest: 1 });
      expect(movementOf(before, after, 3)).toEqual({ values: 3, samples: 2, largest: 1 });
      expect(movementOf(before, before, 3)).toEqual({ values: 0, samples: 0, largest: 0 });
    },
  );

  test('the lowest bit of a float64 is seen', () => {
    const before = Float64Array.of(1);
    expect(movementOf(before, Float64Array.of(1 + Number.EPSILON), 1).values).toBe(1);
  });

  test('what is no number has gone infinitely far', () => {
    expect(movementOf(Float32Array.of(1, 1), Float32Array.of(Number.NaN, 2), 1).largest).toBe(Infinity);
  });
});

describe('edits', () => {
  const set = (index: number, value: number) => ({ kind: 'set', index, value }) as const;

  test('integers become float32, and what was opened stays as it was', () => {
    const opened = Int32Array.of(1, 2, 3, 4);
    const edits = new Edits(opened);
    edits.apply(set(1, 2.5), 2, false);
    expect([...edits.data]).toEqual([1, 2.5, 3, 4]);
    expect(edits.data).toBeInstanceOf(Float32Array);
    expect([...opened]).toEqual([1, 2, 3, 4]);
  });

  test('each change can be taken back, a drag as one', () => {
    const edits = new Edits(Float64Array.of(1, 2, 3, 4));
    edits.apply({ kind: 'shift', sample: 1, by: 10 }, 2, false);
    edits.apply(set(0, 5), 2, false);
    edits.apply(set(0, 6), 2, true);
    edits.apply({ kind: 'scale', sample: 0, by: 2 }, 2, false);
    expect([...edits.data]).toEqual([12, 4, 13, 14]);
    expect(edits.history).toEqual({ undos: 3, isChanged: true });
    edits.apply({ kind: 'undo' }, 2, false);
    expect([...edits.data]).toEqual([6, 2, 13, 14]);
    edits.apply({ kind: 'undo' }, 2, false);
    expect([...edits.data]).toEqual([1, 2, 13, 14]);
    edits.apply({ kind: 'undo' }, 2, false);
    edits.apply({ kind: 'undo' }, 2, false);
    expect([...edits.data]).toEqual([1, 2, 3, 4]);
    expect(edits.history).toEqual({ undos: 0, isChanged: false });
  });

  test('a reset can be taken back too', () => {
    const edits = new Edits(Float32Array.of(1, Number.NaN));
    edits.apply(set(1, 7), 2, false);
    edits.apply({ kind: 'reset' }, 2, false);
    expect([...edits.data]).toEqual([1, Number.NaN]);
    expect(edits.history).toEqual({ undos: 2, isChanged: false });
    edits.apply({ kind: 'undo' }, 2, false);
    expect([...edits.data]).toEqual([1, 7]);
  });
});

describe('numbers', () => {
  test.each([
    [1.25, 4, '1.25'],
    [1.25, 3, '1.3'],
    [-1.25, 4, '−1.3'],
    [-1.25, 2, '−1'],
    [-1.25, 1, '−'],
    [123.4, 2, '+'],
    [12, 5, '12'],
    [10, 5, '10'],
    [0, 1, '0'],
    [-0, 4, '0'],
    [-0.034, 5, '−.034'],
    [-0.034, 4, '−.03'],
    [1e6, 3, '1e6'],
    [-2e-7, 5, '−2e−7'],
    [3e20, 4, '3e20'],
    [Number.NaN, 3, 'NaN'],
    [Number.NaN, 1, '?'],
    [Number.NEGATIVE_INFINITY, 2, '−∞'],
  ])('%p in %i characters is %s', (value, room, expected) => {
    expect(cellText(value, (text) => text.length <= room)).toBe(expected);
  });

  test.each([
    ['1.5', 1.5],
    [' -2e3 ', -2000],
    ['−0,5', -0.5],
    ['.5', 0.5],
    ['5.', 5],
    ['+7', 7],
    ['inf', Infinity],
    ['-Infinity', -Infinity],
    ['−∞', -Infinity],
    ['NaN', Number.NaN],
    ['', undefined],
    ['abc', undefined],
    ['1 2', undefined],
    ['0x10', undefined],
    ['1e', undefined],
    ['--1', undefined],
  ])('%p is read as %p', (text, expected) => {
    expect(parseNumber(text)).toBe(expected);
  });

  test.each([
    [[0.5, -1, 1.5, 0.25, -0.75, 2, -1.5, 0.75], 0.25],
    [[5, -10, 15, 2.5, -7.5, 20, -15, 7.5], 2.5],
    [[0, 0], 0.25],
    [[1e6, 1e6], 250000],
    [[Number.NaN, Number.POSITIVE_INFINITY], 0.25],
  ])('steps of %p are %p', (values, expected) => {
    const step = stepFor(values);
    expect(step).toBeGreaterThan(expected / 1.3);
    expect(step).toBeLessThan(expected * 1.3);
  });
});

describe('sentences', () => {
  const none = { values: 0, samples: 0, largest: 0 };
  const cells = { x: new Uint8Array(), y: new Uint8Array(), contrast: new Uint8Array() };

  test('the lesson', () => {
    const moved = {
      x: { values: 1, samples: 1, largest: 1 },
      y: { values: 8, samples: 1, largest: 2 },
      contrast: { values: 6, samples: 6, largest: 1 },
      cells,
    };
    expect(movedSentence('You changed x[2, 3].', moved, ['layer', 'batch'], 3, 'sample')).toBe(
      'You changed x[2, 3]. Layer normalization: 8 values of 1 sample moved. ' +
        'Batch normalization: 6 values of 6 samples moved.',
    );
  });

  test('nothing, and next to nothing', () => {
    const x = { values: 8, samples: 1, largest: 1 };
    const y = { values: 3, samples: 1, largest: 1.2e-7 };
    expect(movedSentence('!', { x, y: none, contrast: y, cells }, ['layer', 'batch'], 3, 'sample')).toBe(
      '! Layer normalization: no value moved. ' +
        'Batch normalization: 3 values of 1 sample moved, by rounding only, at most 1.2e−7.',
    );
    expect(
      movedSentence('!', { x: none, y: none, contrast: none, cells }, ['layer', 'batch'], 3, 'sample'),
    ).toBe('! No number is another one by that.');
  });

  test('what was done', () => {
    const of = (change: Parameters<typeof changeSentence>[0]) => changeSentence(change, 'x[1]', 'sample');
    expect(of({ kind: 'set', index: 1, value: 2 })).toBe('You changed x[1].');
    expect(of({ kind: 'shift', sample: 2, by: -1 })).toBe('You shifted sample 2 down by 1.');
    expect(of({ kind: 'scale', sample: 2, by: 2 })).toBe('You multiplied sample 2 by 2.');
    expect(of({ kind: 'undo' })).toBe('You took the last change back.');
    expect(of({ kind: 'reset' })).toBe('You put all numbers back.');
  });

  test('who shares', () => {
    expect(sharers(8, 2, 3, 6, 'sample')).toBe('8 cells in sample 2');
    expect(sharers(6, 0, 6, 6, 'sample')).toBe('6 cells in all 6 samples');
    expect(sharers(1, 0, 1, 1, 'sample')).toBe('1 cell');
  });
});
