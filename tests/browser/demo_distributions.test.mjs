// The histograms of Explore: what they count and what they mark, against the same in float64.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { at, change, drop, fits, npy, number, open, page, text, violations } from './support/demo.mjs';

const iris = readFileSync(at('web-demo/src/data/iris.csv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(',').slice(0, 4).map(Number));

const meanOf = (values) => values.reduce((a, b) => a + b) / values.length;
const stdOf = (values) => {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
};
const normalized = (values, epsilon = 1e-3) => {
  const [mean, std] = [meanOf(values), stdOf(values)];
  return values.map((value) => (value - mean) / Math.sqrt(std ** 2 + epsilon));
};

/** How many values lie in each of some equal bins. */
function counted(values, bins) {
  const [min, max] = [values, values].map((all, i) =>
    all.reduce((a, b) => (i ? Math.max(a, b) : Math.min(a, b))),
  );
  const counts = new Array(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor(((value - min) / (max - min)) * bins))]++;
  return counts;
}

/** Waits until the histogram of this group is shown. */
const shows = (code) =>
  page.waitForFunction(
    (code) => document.querySelector('#distribution-one figcaption code')?.textContent === code,
    code,
  );

/** Waits until the caption of the histogram holds this. */
const says = (part) =>
  page.waitForFunction(
    (part) => document.querySelector('#distribution-one figcaption')?.textContent.includes(part),
    part,
  );

/** The columns of a table of numbers. */
const table = (id) =>
  page.$$eval(`#${id} tbody tr`, (lines) =>
    lines.map((line) => [...line.querySelectorAll('td')].map((cell) => cell.textContent)),
  );
async function counts() {
  const rows = (await table('distribution-one')).map((row) => row.map(number));
  return { before: rows.map((row) => row[2]), after: rows.map((row) => row[5]), rows };
}

/** Mean and standard deviation that the caption says, before and after. */
async function statistics() {
  const said = await text('#distribution-one figcaption');
  const found = said.match(
    /Before: mean (\S+), standard deviation ([^\s;.]+\.?\d*)[.;].*After: mean (\S+), standard deviation ([^\s;]+?)[.;]( |$|The)/,
  );
  assert.ok(found, said);
  return found.slice(1, 5).map(number);
}

function assertClose(actual, expected, tolerance = 6e-4) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    const allowed = tolerance * Math.max(1, Math.abs(expected[i]));
    assert.ok(Math.abs(value - expected[i]) <= allowed, `${value} is shown, expected ${expected[i]}`);
  });
}

const expectedStatistics = (x, y) => [meanOf(x), stdOf(x), meanOf(y), stdOf(y)];

/** Where the lines of the means and the bands stand. */
const marks = (id, side) =>
  page.$$eval(`#${id} .distribution-${side}`, ([plot]) => ({
    means: [...plot.querySelectorAll('.distribution-mean line:last-child')].map(
      (line) => line.x1.baseVal.value,
    ),
    bands: [...plot.querySelectorAll('.distribution-band')].map(({ x, width }) => [
      x.baseVal.value,
      x.baseVal.value + width.baseVal.value,
    ]),
    dots: plot.querySelectorAll('circle').length,
    rows: plot.querySelectorAll('.distribution-row').length,
  }));

describe('Iris flowers', () => {
  test('a flower: its four elements are counted and drawn, its mean and standard deviation marked', async () => {
    await open();
    await shows('x[0, :]');
    const y = normalized(iris[0]);
    const { before, after, rows } = await counts();
    assert.deepEqual(before, counted(iris[0], before.length));
    assert.deepEqual(after, before, 'the shape stays');
    assert.equal(rows[0][0], 0.2);
    assert.equal(rows.at(-1)[1], 5.1);
    assertClose([rows[0][3], rows.at(-1)[4]], [Math.min(...y), Math.max(...y)]);
    assertClose(await statistics(), expectedStatistics(iris[0], y));
    for (const [side, values] of [
      ['before', iris[0]],
      ['after', y],
    ]) {
      const { means, bands, dots } = await marks('distribution-one', side);
      assert.equal(dots, 4);
      const [[from, to]] = bands;
      assert.ok(Math.abs((from + to) / 2 - means[0]) < 0.01, 'the mean is in the middle of its band');
      // The outermost elements stand at the ends of the axis.
      const ends = await page.$$eval(`#distribution-one .distribution-${side} circle`, (circles) =>
        circles.map((circle) => circle.cx.baseVal.value),
      );
      const scale = (Math.max(...ends) - Math.min(...ends)) / (Math.max(...values) - Math.min(...values));
      assert.ok(
        Math.abs((to - from) / 2 - stdOf(values) * scale) < 0.5,
        'the band has the width of the deviation',
      );
      assert.ok(
        Math.abs(means[0] - Math.min(...ends) - (meanOf(values) - Math.min(...values)) * scale) < 0.5,
      );
    }
    assert.match(await text('#distribution-one figcaption'), /4 elements in 3 bins.*the shape does not\.$/);
  });

  test('follows the flower in focus, by keyboard and by pointer', async () => {
    await open();
    await page.focus('#samples');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await shows('x[2, :]');
    assertClose(await statistics(), expectedStatistics(iris[2], normalized(iris[2])));
    await page.keyboard.press('End');
    await shows('x[24, :]');
    assert.match(await text('#distribution-several figcaption'), /^Samples 25 to 36 of 150\./);
    await page.hover('#sample-7');
    await shows('x[7, :]');
    assert.match(await text('#distribution-several figcaption'), /^Samples 1 to 12 of 150\./);
    assert.equal(await text('#distribution-several .distribution-before .focused text'), 'x[7, :]');
  });

  test('twelve flowers on one axis lie apart before, and on top of each other after', async () => {
    await open();
    await shows('x[0, :]');
    const rows = await table('distribution-several');
    assert.equal(rows.length, 12);
    rows.forEach((row, i) => {
      const y = normalized(iris[i]);
      const ends = (values) => [meanOf(values), stdOf(values), Math.min(...values), Math.max(...values)];
      assertClose(row.map(number), [...ends(iris[i]), ...ends(y)]);
    });
    const [before, after] = [
      await marks('distribution-several', 'before'),
      await marks('distribution-several', 'after'),
    ];
    const spread = (values) => Math.max(...values) - Math.min(...values);
    assert.equal(before.means.length, 12);
    assert.ok(spread(before.means) > 20, `${before.means}`);
    assert.ok(spread(after.means) < 0.5, `${after.means}`);
    assert.ok(spread(after.bands.map(([from]) => from)) < 0.5);
    assert.match(await text('#distribution-several figcaption'), /mean 0 and standard deviation 1/);
  });

  test('gamma and beta: all alike move the histogram, one for each change its shape', async () => {
    await open();
    await change(() => page.fill('#gamma-all', '2'));
    await change(() => page.fill('#beta-all', '-1'));
    const doubled = normalized(iris[0]).map((value) => 2 * value - 1);
    await page.waitForFunction(() =>
      /mean −1 and standard deviation 2/.test(document.querySelector('#distribution-several').textContent),
    );
    assertClose(await statistics(), expectedStatistics(iris[0], doubled));
    await change(() => page.check('#gamma-fieldset input[value=list]'));
    await change(() => page.fill('#gamma-0', '-3'));
    await page.waitForFunction(() =>
      /the shape changes too/.test(document.querySelector('#distribution-one').textContent),
    );
    const changed = normalized(iris[0]).map((value, p) => value * (p === 0 ? -3 : 2) - 1);
    assertClose(await statistics(), expectedStatistics(iris[0], changed));
  });

  test('batch normalization: a histogram of each channel, over all samples', async () => {
    await open();
    await change(() => page.check('input[name=method][value=batch]'));
    await shows('x[:, 0]');
    const lengths = iris.map(([length]) => length);
    const { before, after } = await counts();
    assert.equal(
      before.reduce((a, b) => a + b),
      150,
    );
    assert.deepEqual(before, after);
    assertClose(await statistics(), expectedStatistics(lengths, normalized(lengths)));
    assert.equal((await table('distribution-several')).length, 4);
  });

  test('RMS normalization: the mean and the standard deviation, though it divides by neither', async () => {
    await open();
    await change(() => page.check('input[name=method][value=rms]'));
    await page.waitForFunction(() =>
      /root mean square of 1/.test(document.querySelector('#distribution-several').textContent),
    );
    const rms = Math.sqrt(meanOf(iris[0].map((x) => x * x)) + 1e-6);
    assertClose(
      await statistics(),
      expectedStatistics(
        iris[0],
        iris[0].map((x) => x / rms),
      ),
    );
  });
});

describe('beside the grid', () => {
  const ordinary = [0.5, -1, 1.5, 0.25, -0.75, 2, -1.5, 0.75];
  const cell = (i) => page.locator('#grid-before .grid-cell').nth(i);

  test('follows the cell in focus, and names the samples', async () => {
    await open({}, undefined, '');
    await shows('x[0, :]');
    assertClose(await statistics(), expectedStatistics(ordinary, normalized(ordinary)));
    await cell(8).hover();
    await shows('x[1, :]');
    const tenfold = ordinary.map((value) => value * 10);
    assertClose(await statistics(), expectedStatistics(tenfold, normalized(tenfold)));
    assert.deepEqual(
      await page.$$eval('#distribution-several .distribution-after .distribution-row text', (found) =>
        found.map((label) => label.textContent),
      ),
      ['ordinary', 'same × 10', 'same + 5', 'nearly flat', 'one outlier', 'all negative'],
    );
    assert.equal(await text('#distribution-several .distribution-after .focused text'), 'same × 10');
  });

  test('moves with a number that is changed', async () => {
    await open({}, undefined, '');
    await cell(0).dblclick();
    await page.fill('.cell-input', '9');
    await page.keyboard.press('Enter');
    const changed = ordinary.with(0, 9);
    await says(`mean ${Number(meanOf(changed).toPrecision(4))},`);
    assertClose(await statistics(), expectedStatistics(changed, normalized(changed)));
    const { before } = await counts();
    assert.deepEqual(before, counted(changed, before.length));
  });
});

describe('what users bring', () => {
  test('a large .npy: every element is counted, not only those that are drawn', async () => {
    await open();
    const n = 50_000;
    // Sums of sines of unlike places and sizes, one for each of 8 samples.
    const values = Float32Array.from({ length: 8 * n }, (_, i) => {
      const sample = Math.floor(i / n);
      return 10 * sample + (sample + 1) * (Math.sin(i) + Math.sin(i * 0.731) + Math.sin(i * i * 1e-3));
    });
    await change(() =>
      page.setInputFiles('#file', {
        name: 'large.npy',
        mimeType: '',
        buffer: npy('<f4', [8, n], values.buffer),
      }),
    );
    await page.focus('#samples');
    for (let presses = 0; presses < 3; presses++) await page.keyboard.press('ArrowDown');
    await shows('x[3, :]');
    const x = [...values.subarray(3 * n, 4 * n)];
    const y = normalized(x);
    const { before, after } = await counts();
    assert.ok(before.length > 16 && before.length <= 64, `${before.length} bins`);
    assert.deepEqual(before, counted(x, before.length));
    // y is rounded to float32, which may put an element on the other side of an edge.
    const off = counted(y, after.length).reduce(
      (total, count, bin) => total + Math.abs(count - after[bin]),
      0,
    );
    assert.ok(off <= 10, `${off} elements lie elsewhere`);
    assertClose(await statistics(), expectedStatistics(x, y));
    const { rows, dots } = await marks('distribution-several', 'after');
    assert.deepEqual([rows, dots], [8, 0]);
  });

  test('NaN, infinities and constants', async () => {
    await open();
    const rows = [
      [Number.NaN, Number.POSITIVE_INFINITY, 1, 2.5],
      [7, 7, 7, 7],
      new Array(4).fill(Number.NaN),
    ];
    await change(() => drop('edge.npy', '', npy('<f4', [3, 4], Float32Array.from(rows.flat()).buffer)));
    await page.focus('#samples');
    await says('NaN');
    assert.match(
      await text('#distribution-one figcaption'),
      /Before: mean NaN, standard deviation NaN; not drawn: 1 element NaN, 1 element infinite\. After: .*4 elements NaN/,
    );
    assert.deepEqual((await counts()).before, [1, 1]);
    await page.keyboard.press('ArrowDown');
    await shows('x[1, :]');
    assert.deepEqual((await counts()).before, [4]);
    assertClose(await statistics(), [7, 0, 0, 0]);
    await page.keyboard.press('ArrowDown');
    await shows('x[2, :]');
    assert.equal(await text('#distribution-one .distribution-before .plot-marks'), 'No finite element');
  });

  test('one sample alone has no others beside it', async () => {
    await open();
    await change(() => page.check('label:has-text("axis 0") input'));
    await shows('x[:, :]');
    assert.ok(await page.isHidden('#distribution-several'));
    assert.match(await text('#distribution-one figcaption'), /600 elements/);
  });

  test('whole numbers: every bin holds equally many of them', async () => {
    await open();
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) % 256);
    await change(() => drop('x.npy', '', npy('|u1', [3, 100], bytes)));
    await says('100 elements');
    const { before } = await counts();
    const whole = (await counts()).rows.map(([from, to]) => to - from);
    assert.ok(new Set(whole.map((width) => Math.round(width))).size === 1 && Number.isInteger(whole[0]));
    assert.equal(
      before.reduce((a, b) => a + b),
      100,
    );
  });
});

describe('accessibility', () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      test(`${colorScheme}, ${width} pixels wide`, async () => {
        await open({ colorScheme, viewport: { width, height: 900 } });
        await shows('x[0, :]');
        for (const summary of await page.locator('#distributions summary').all()) {
          await summary.focus();
          await page.keyboard.press('Enter');
        }
        assert.ok(await page.locator('#distribution-several table').isVisible());
        assert.deepEqual(await violations(), []);
        assert.ok(await fits(), 'no horizontal scrolling');
        for (const plot of await page.locator('#distributions svg').all()) {
          assert.equal(await plot.getAttribute('aria-hidden'), 'true');
          const { x, width: size } = await plot.boundingBox();
          assert.ok(x >= 0 && x + size <= width);
        }
      });
    }
  }
});
