// Explore, as it is built, in Chromium: its numbers, its controls, files of every kind, its errors, and whether it can be used by
// keyboard and with a screen reader.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, test } from 'node:test';
import { createServer } from 'vite';
import {
  at,
  change,
  complaints,
  drop,
  fits,
  npy,
  number,
  open,
  page,
  png,
  text,
  VITE,
  violations,
} from './support/demo.mjs';

const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));

const iris = readFileSync(at('web-demo/src/data/iris.csv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(',').slice(0, 4).map(Number));

/** The table of samples: its columns from left to right, without the first. */
async function table() {
  await page.check('input[value=table]');
  const cells = await page.$$eval('.samples-table tbody tr', (rows) =>
    rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)),
  );
  const names = await page.$$eval('.samples-table tbody th', (heads) =>
    heads.map((head) => head.textContent.trim()),
  );
  return { names, cells: cells.map((row) => row.map(number)) };
}

/** Layer normalization in float64 of one sample. */
function normalize(values, { epsilon = 1e-3, gamma = () => 1, beta = () => 0 } = {}) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  const y = values.map((value, p) => ((value - mean) / Math.sqrt(variance + epsilon)) * gamma(p) + beta(p));
  return { mean, std: Math.sqrt(variance), y };
}

/** What the table shows of a sample with few elements: x, mean, std, y, mean and std after. */
function rowOf(values, options) {
  const { mean, std, y } = normalize(values, options);
  const after = normalize(y);
  return [...values, mean, std, ...y, after.mean, after.std];
}

/** Equal but for the rounding to the digits that are shown. */
function assertShown(actual, expected, unit = 0.00051) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(
      Math.abs(value - expected[i]) <= unit,
      `${value} is shown, expected ${expected[i]} (column ${i} of ${actual})`,
    );
  });
}

describe('the page', () => {
  beforeEach(() => open());

  test('is isolated and lets no inline script run', async () => {
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    const ran = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.head.append(script);
      return window.ran === true;
    });
    assert.equal(ran, false);
    assert.match(complaints.join(), /inline script/, 'the policy says so');
    complaints.length = 0;
  });

  test('its worker has the policy too, and is the only one that computes', async () => {
    const [worker] = page.workers();
    assert.ok(worker);
    const { headers } = await page.evaluate(async (address) => {
      const response = await fetch(address);
      return { headers: Object.fromEntries(response.headers) };
    }, worker.url());
    assert.match(headers['content-security-policy'], /script-src 'self' 'wasm-unsafe-eval'/);
    assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
  });

  test('says what computed the result, how fast, and how far from the truth it is', async () => {
    assert.equal(await text('#engine-name'), `layernorm ${version}`);
    assert.equal(await text('#engine-detail'), 'simd, 1 thread, float32');
    await page.waitForFunction(() =>
      document.querySelector('#engine-calls').textContent.startsWith('median over'),
    );
    assert.match(await text('#engine-time'), /^[\d.]+ (µs|ms)$/);
    assert.match(await text('#engine-throughput'), /^[\d.]+ [kMG]B\/s$/);
    const ulp = Number.parseFloat(await text('#engine-error'));
    assert.ok(ulp > 0 && ulp <= 3, `${ulp} ulp`);
  });

  test('states source and licence of the sample', async () => {
    const source = page.locator('#iris-source');
    assert.ok(await source.isVisible());
    assert.match(await source.textContent(), /R\. A\. Fisher.*UCI.*CC BY 4\.0/s);
    assert.equal(await text('#dataset-shape'), '[150, 4] float32');
  });
});

describe('the sample', () => {
  beforeEach(() => open());

  test('every one of its 150 rows is shown as float64 has it', async () => {
    const shown = [];
    for (let number = 1; number <= 6; number++) {
      const { names, cells } = await table();
      assert.match(names[0], new RegExp(`^x\\[${(number - 1) * 25}, :\\] (setosa|versicolor|virginica)$`));
      shown.push(...cells);
      if (number < 6) {
        await page.click('text=Next');
        await page.waitForFunction(
          (first) => document.querySelector('.samples-table th code').textContent === first,
          `x[${number * 25}, :]`,
        );
      }
    }
    assert.equal(shown.length, 150);
    shown.forEach((row, i) => {
      assertShown(row, rowOf(iris[i]));
    });
  });

  test('axis 0 makes samples of the columns', async () => {
    await change(() => page.check('label:has-text("axis 0") input'));
    await change(() => page.uncheck('label:has-text("axis 1") input'));
    assert.equal(await text('#axis-outcome'), '4 samples of 150 elements each');
    const { names, cells } = await table();
    assert.deepEqual(
      names.map((name) => name.replace(/^x\[:, \d\] /, '')),
      ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'],
    );
    assertShown(
      cells.map(([mean]) => mean),
      [5.843, 3.057, 3.758, 1.199],
    );
    const { mean, std } = normalize(iris.map(([length]) => length));
    assertShown(cells[0].slice(0, 2), [mean, std]);
  });

  test('both axes make one sample', async () => {
    await change(() => page.check('label:has-text("axis 0") input'));
    const { names, cells } = await table();
    const { mean, std } = normalize(iris.flat());
    assert.deepEqual(names, ['x[:, :]']);
    assertShown(cells[0].slice(0, 2), [mean, std]);
  });

  test('epsilon by number and by slider', async () => {
    await change(() => page.fill('#epsilon', '2.5'));
    assertShown((await table()).cells[3], rowOf(iris[3], { epsilon: 2.5 }));
    await change(() => page.fill('#epsilon-range', '-1'));
    assert.equal(await page.inputValue('#epsilon'), '0.1');
    assertShown((await table()).cells[3], rowOf(iris[3], { epsilon: 0.1 }));
  });

  test('gamma and beta: a scalar, and one for each element', async () => {
    await change(() => page.fill('#gamma-all', '2'));
    await change(() => page.check('#beta-fieldset input[value=list]'));
    await change(() => page.getByLabel('petal length (cm)').last().fill('-1.5'));
    const options = { gamma: () => 2, beta: (p) => (p === 2 ? -1.5 : 0) };
    const { cells } = await table();
    for (const i of [0, 7, 24]) assertShown(cells[i], rowOf(iris[i], options));
    assert.ok(Number.parseFloat(await text('#engine-error')) <= 3);
  });

  test('a place under the pointer is put into the formula', async () => {
    const box = await page.locator('#sample-4 .strip').last().boundingBox();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 12);
    const { mean, std, y } = normalize(iris[4]);
    assert.equal((await text('#one-name code')).trim(), 'x[4, :]');
    const said = await text('#formula-text');
    const digits = (value) => String(Number(value.toPrecision(4))).replace('-', '−');
    assert.equal(
      said,
      `petal length (cm): x hat = (1.4 − ${digits(mean)}) / √(${digits(std)}² + 0.001) = ${digits(y[2])}` +
        `; y = 1 · x hat + 0 = ${digits(y[2])}.`,
    );
    await page.mouse.move(0, 0);
    assert.equal((await text('#one-name code')).trim(), 'x[0, :]');
  });
});

describe('the methods', () => {
  beforeEach(() => open());

  const choose = (method) => change(() => page.check(`input[name=method][value=${method}]`));
  const shape = [2, 4, 3];
  const values = Float64Array.from({ length: 24 }, (_, i) => Math.round(300 * Math.cos(i * i + 1)) / 100 + 1);

  /** What sets the methods apart: which elements make a group, and what is done to it. In float64, by the formulas. */
  const variance = (group, mean) => group.reduce((total, x) => total + (x - mean) ** 2, 0) / group.length;
  const meanOf = (group) => group.reduce((a, b) => a + b) / group.length;
  const squares = (group) => group.reduce((total, x) => total + x * x, 0);
  const STD = { center: meanOf, scale: (group) => Math.sqrt(variance(group, meanOf(group))) };
  const RMS = { center: () => 0, scale: (group) => Math.sqrt(squares(group) / group.length) };
  const NORM = { center: () => 0, scale: (group) => Math.sqrt(squares(group)) };
  const add = (scale, epsilon) => Math.sqrt(scale ** 2 + epsilon);
  const METHODS = {
    layer: { ...STD, divisor: add, epsilon: 1e-3, key: (n, c) => [n, c], parameter: (_, l) => l, has: 2 },
    rms: { ...RMS, divisor: add, epsilon: 1e-6, key: (n, c) => [n, c], parameter: (_, l) => l, has: 1 },
    unit: { ...NORM, divisor: Math.max, epsilon: 1e-12, key: (n, c) => [n, c], has: 0 },
    batch: { ...STD, divisor: add, epsilon: 1e-3, key: (_, c) => [c], parameter: (c) => c, has: 2 },
    group: { ...STD, divisor: add, epsilon: 1e-3, key: (n, c) => [n, c >> 1], parameter: (c) => c, has: 2 },
    instance: { ...STD, divisor: add, epsilon: 1e-3, key: (n, c) => [n, c], parameter: (c) => c, has: 2 },
  };
  const NAMES = {
    layer: 'x[1, 3, :]',
    rms: 'x[1, 3, :]',
    unit: 'x[1, 3, :]',
    batch: 'x[:, 3, :] channel 3',
    group: 'x[1, 2:4, :] sample 1, group 1',
    instance: 'x[1, 3, :] sample 1, channel 3',
  };

  /** The rows of the table for a method. */
  function rowsOf({ key, center, scale, divisor, epsilon, parameter }, gamma, beta) {
    const groups = new Map();
    values.forEach((x, i) => {
      const [n, c, l] = [Math.floor(i / 12), Math.floor(i / 3) % 4, i % 3];
      const name = key(n, c).join();
      groups.set(name, [...(groups.get(name) ?? []), { x, p: parameter?.(c, l) }]);
    });
    return [...groups.values()].map((group) => {
      const xs = group.map(({ x }) => x);
      const below = divisor(scale(xs), epsilon);
      const ys = group.map(({ x, p }) => ((x - center(xs)) / below) * (gamma?.[p] ?? 1) + (beta?.[p] ?? 0));
      return [...xs, meanOf(xs), scale(xs), ...ys, meanOf(ys), scale(ys)];
    });
  }

  for (const [method, traits] of Object.entries(METHODS)) {
    test(`${method}: the groups, values and statistics are those of float64, with gamma and beta too`, async () => {
      await change(() => drop('x.npy', '', npy('<f8', shape, values.buffer)));
      if (method !== 'layer') await choose(method);
      const isPerChannel = ['batch', 'group', 'instance'].includes(method);
      if (isPerChannel) await change(() => page.check('label:has-text("axis 1") input'));
      const check = async (gamma, beta) => {
        const { names, cells } = await table();
        assert.equal(names.at(-1), NAMES[method]);
        const expected = rowsOf(traits, gamma, beta);
        assert.equal(cells.length, expected.length);
        cells.forEach((row, g) => {
          assertShown(row, expected[g], 0.0051);
        });
        assert.ok(Number.parseFloat(await text('#engine-error')) <= 16, await text('#engine-error'));
      };
      assert.equal(Number(await page.inputValue('#epsilon')), traits.epsilon, "Keras' default");
      await check();
      const groups = method === 'group' ? ', groups: 2' : '';
      const call = `${method}Norm(x, { shape: [2, 4, 3], axis: ${isPerChannel ? 1 : 2}${groups}, epsilon: `;
      assert.ok((await text('#engine-call')).startsWith(call), await text('#engine-call'));

      const fill = async (name, numbers) => {
        await change(() => page.check(`#${name}-fieldset input[value=list]`));
        const inputs = page.locator(`#${name}-fieldset input[type=number]`);
        assert.equal(await inputs.count(), numbers.length);
        for (const [i, value] of numbers.entries()) await change(() => inputs.nth(i).fill(String(value)));
      };
      const length = isPerChannel ? 4 : 3;
      const gamma = [2, -1, 0.5, 3].slice(0, length);
      const beta = [0.25, 1, -2, 0].slice(0, length);
      assert.equal(await page.isVisible('#gamma-fieldset'), traits.has > 0);
      assert.equal(await page.isVisible('#beta-fieldset'), traits.has > 1);
      assert.equal(await page.isVisible('#parameters-hint'), traits.has < 2);
      if (traits.has > 0) {
        await fill('gamma', gamma);
        if (traits.has > 1) await fill('beta', beta);
        await check(gamma, traits.has > 1 ? beta : undefined);
      }
    });
  }

  test('group: from one group, as layer normalization has it, to one for each channel', async () => {
    await choose('group');
    assert.equal(await text('#axis-outcome'), '300 groups of 2 elements each');
    await change(() => page.fill('#groups-range', '0'));
    assert.match(
      await text('#groups-outcome'),
      /^1 group of 4 channels: statistics as of layer normalization/,
    );
    assertShown((await table()).cells[3], rowOf(iris[3]));
    await change(() => page.fill('#groups-range', '2'));
    assert.match(
      await text('#groups-outcome'),
      /^4 groups of 1 channel each, which is instance normalization/,
    );
    assert.match(await text('#method-note'), /Each group is a single number here/);
    assert.equal((await table()).cells[0].at(-3), 0);
  });

  test('the figure shows that a group of batch normalization goes across samples, and no other', async () => {
    const marked = () =>
      page.$$eval('.share-cell', (cells) => {
        const rows = new Map();
        for (const cell of cells) {
          const [row, column] = cell.dataset.index.split(',').map(Number);
          if (!rows.has(row)) rows.set(row, []);
          rows.get(row)[column] = Number(cell.matches('.same'));
        }
        return [...rows].sort(([a], [b]) => a - b).map(([, row]) => row.join(''));
      });
    const only = (row) => [row, ...new Array(5).fill('0000')];
    assert.deepEqual(await marked(), only('1111'));
    await choose('group');
    assert.deepEqual(await marked(), only('1100'));
    await choose('instance');
    assert.deepEqual(await marked(), only('1000'));
    await choose('batch');
    assert.deepEqual(await marked(), new Array(6).fill('1000'));
    assert.equal(await text('#axis-outcome'), '4 channels of 150 elements each, across all 150 samples');
    assert.match(await text('#sharing-caption'), /They go through all 150 samples/);
    const { names, cells } = await table();
    assert.deepEqual(names, [
      'x[:, 0] sepal length (cm)',
      'x[:, 1] sepal width (cm)',
      'x[:, 2] petal length (cm)',
      'x[:, 3] petal width (cm)',
    ]);
    const { mean, std, y } = normalize(iris.map((row) => row[2]));
    assertShown(cells[2], [mean, std, 0, normalize(y).std]);
    await page.click('.samples-table tbody tr:nth-child(3)');
    const shown = await page.$$eval('#elements tbody td:last-child', (found) =>
      found.map((cell) => cell.textContent),
    );
    assertShown(shown.map(number), y.slice(0, 12), 0.000051);
  });

  test('the formula is that of the method', async () => {
    const digits = (value) => String(Number(value.toPrecision(4))).replace('-', '−');
    const [x] = iris[0];
    await choose('rms');
    const rms = Math.sqrt(squares(iris[0]) / 4);
    const y = digits(x / Math.sqrt(rms ** 2 + 1e-6));
    assert.equal(
      await text('#formula-text'),
      `sepal length (cm): x hat = ${x} / √(${digits(rms)}² + 1e−6) = ${y}; y = 1 · x hat = ${y}.`,
    );
    assert.match(await text('#formula'), /RMS/);
    await choose('unit');
    const norm = Math.sqrt(squares(iris[0]));
    assert.equal(
      await text('#formula-text'),
      `sepal length (cm): x hat = ${x} / max(${digits(norm)}, 1e−12) = ${digits(x / norm)}.`,
    );
    assert.equal(await text('.one-statistics'), 'mean 2.55, norm 6.345; after: 0.4019 and 1');
    await choose('group');
    await page.focus('#samples');
    await page.keyboard.press('ArrowDown');
    assert.match(await text('#formula-text'), /^petal length \(cm\): x hat = \(1\.4 − 0\.8\) \/ /);
  });

  test('each method has an epsilon of its own, and keeps it', async () => {
    await change(() => page.fill('#epsilon', '0.5'));
    await choose('unit');
    assert.equal(await page.inputValue('#epsilon'), '1e-12');
    assert.match(await text('#epsilon-hint'), /least norm/);
    await choose('layer');
    assert.equal(await page.inputValue('#epsilon'), '0.5');
    assertShown((await table()).cells[3], rowOf(iris[3], { epsilon: 0.5 }));
  });

  test('what a shape has no room for is said plainly, and is no error', async () => {
    const isDisabled = (method) => page.isDisabled(`input[name=method][value=${method}]`);
    await choose('group');
    assert.equal(await isDisabled('group'), false);
    assert.ok(await page.isDisabled('label:has-text("axis 0") input'), 'axis 0 counts the samples');
    await change(() => drop('v.npy', '', npy('<f4', ['5,'], Float32Array.of(1, 2, 3, 4, 5).buffer)));
    assert.ok(await isDisabled('group'));
    assert.ok(await isDisabled('instance'));
    assert.match(await text('#method-shape'), /need a batch dimension and one of channels/);
    assert.ok(await page.isChecked('input[name=method][value=layer]'));
    assert.equal(await page.locator('[role=alert]:visible').count(), 0);
    await choose('batch');
    assert.match(await text('#method-note'), /a single number here/);
    await change(() => page.selectOption('#example', 'iris'));
    assert.equal(await isDisabled('group'), false);
    assert.ok(await page.locator('#method-shape').isHidden());
  });

  test('a picture is a batch of one', async () => {
    const colorAt = (row, column) => [row * 60, column * 40, (row * column * 7) % 256];
    const picture = (name, colors) =>
      page.setInputFiles('#file', { name, mimeType: 'image/png', buffer: png(6, 4, colors) });
    await change(() => picture('p.png', colorAt));
    await choose('batch');
    assert.match(await text('#method-note'), /the same as instance normalization/);
    assert.match(await text('#engine-call'), /^batchNorm\(x, \{ shape: \[1, 4, 6, 3\], axis: 3,/);
    const { names, cells } = await table();
    assert.deepEqual(names, ['x[:, :, 0] red', 'x[:, :, 1] green', 'x[:, :, 2] blue']);
    const blue = normalize([0, 1, 2, 3].flatMap((r) => [0, 1, 2, 3, 4, 5].map((c) => colorAt(r, c)[2])));
    assertShown(cells[2], [blue.mean, blue.std, 0, normalize(blue.y).std], 0.051);
    await choose('instance');
    assert.deepEqual((await table()).cells, cells);

    await page.check('input[value=picture]');
    await change(() => picture('grey.png', (row, column) => new Array(3).fill(row * 40 + column)));
    assert.match(await text('#axis-hint'), /grey picture is a batch of one, with one channel/);
    assert.equal(await text('#axis-outcome'), '1 group of 24 elements');
    const grey = normalize([0, 1, 2, 3].flatMap((r) => [0, 1, 2, 3, 4, 5].map((c) => r * 40 + c)));
    assertShown((await table()).cells[0], [grey.mean, grey.std, 0, normalize(grey.y).std], 0.051);
  });

  test('the result can be saved as .npy', async () => {
    await choose('batch');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    assert.equal(download.suggestedFilename(), 'batchNorm.npy');
    const bytes = readFileSync(await download.path());
    const start = 10 + bytes.readUInt16LE(8);
    assert.match(bytes.toString('latin1', 10, start), /'descr': '<f4', .*'shape': \(150, 4\)/);
    const { y } = normalize(iris.map((row) => row[1]));
    y.forEach((value, n) => {
      assert.ok(Math.abs(bytes.readFloatLE(start + (n * 4 + 1) * 4) - value) < 1e-5);
    });
  });
});

describe('what users bring', () => {
  beforeEach(() => open());

  test('a CSV that is dropped', async () => {
    await change(() => drop('mine.csv', 'text/csv', 'who;a;b;c\nann;1,5;2;4\nbob;0;0;9\n'));
    assert.equal(await text('#dataset-name'), 'mine.csv');
    assert.match(await text('#dataset-notes'), /Column “who” is left out: not numbers\. It names the rows\./);
    assert.ok(await page.locator('#iris-source').isHidden());
    const { names, cells } = await table();
    assert.deepEqual(names, ['x[0, :] ann', 'x[1, :] bob']);
    assertShown(cells[0], rowOf([1.5, 2, 4]));
    assertShown(cells[1], rowOf([0, 0, 9]));
  });

  test('a .npy of float64 that is dropped, over two axes', async () => {
    const values = Float64Array.from({ length: 24 }, (_, i) => Math.round(100 * Math.cos(i * i)));
    await change(() => drop('x.npy', '', npy('<f8', [2, 3, 4], values.buffer)));
    assert.equal(await text('#dataset-shape'), '[2, 3, 4] float64');
    assert.equal(await text('#engine-detail'), 'simd, 1 thread, float64');
    const { names, cells } = await table();
    assert.equal(names[5], 'x[1, 2, :]');
    assertShown(cells[5], rowOf([...values.slice(20)]), 0.0051);

    await change(() => page.check('label:has-text("axis 0") input'));
    const { names: columns, cells: others } = await table();
    assert.deepEqual(columns, ['x[:, 0, :]', 'x[:, 1, :]', 'x[:, 2, :]']);
    assertShown(others[1], rowOf([...values.slice(4, 8), ...values.slice(16, 20)]), 0.0051);
  });

  test('a picture that is chosen, before and after', async () => {
    const colorAt = (row, column) => [row * 60, column * 40, 200];
    await change(() =>
      page.setInputFiles('#file', { name: 'p.png', mimeType: 'image/png', buffer: png(6, 4, colorAt) }),
    );
    assert.equal(await text('#dataset-shape'), '[4, 6, 3] uint8, computed as float32');
    assert.ok(await page.isChecked('input[value=picture]'));
    const pixels = await page.$$eval('#view-picture canvas', (canvases) =>
      canvases.map((canvas) => [...canvas.getContext('2d').getImageData(1, 2, 1, 1).data]),
    );
    assert.deepEqual(pixels[0], [120, 40, 200, 255]);

    // Each row is a sample, and the colour scale reaches to the largest value on both sides.
    const rows = [0, 1, 2, 3].map((row) =>
      normalize([0, 1, 2, 3, 4, 5].flatMap((column) => colorAt(row, column))),
    );
    const reach = Math.max(...rows.flatMap(({ y }) => y.map(Math.abs)));
    const expected = rows[2].y.slice(3, 6).map((value) => 127.5 + (value / reach) * 127.5);
    expected.forEach((value, k) => {
      assert.ok(Math.abs(pixels[1][k] - value) <= 1, `${pixels[1]}, expected ${expected}`);
    });

    await change(() => page.click('text=each pixel'));
    assert.equal(await text('#axis-outcome'), '24 samples of 3 elements each');
    const { cells } = await table();
    assertShown(cells[7], rowOf(colorAt(1, 1)), 0.051);
  });

  test('numbers that are pasted', async () => {
    await page.click('text=Paste numbers');
    await change(async () => {
      await page.fill('#paste', '1 2 3\n10 20 30');
      await page.click('text=Use these numbers');
    });
    assertShown((await table()).cells[1], rowOf([10, 20, 30]), 0.0051);
  });

  test('two million elements: all are computed, some are drawn', async () => {
    const values = Float32Array.from({ length: 2_000_000 }, (_, i) => Math.sin(i));
    await change(() =>
      page.setInputFiles('#file', {
        name: 'large.npy',
        mimeType: '',
        buffer: npy('<f4', [100, 20_000], values.buffer),
      }),
    );
    assert.match(await text('#view-map figcaption'), /256 of 20,000 elements are drawn/);
    const { cells } = await table();
    const { mean, std, y } = normalize([...values.slice(20_000, 40_000)]);
    assertShown(cells[1], [mean, std, 0, normalize(y).std]);
    assert.equal(await text('#elements caption'), '12 of 20,000 elements, around the chosen one');
    await page.check('input[value=map]');
    await page.focus('#samples');
    for (let presses = 0; presses < 20; presses++) await page.keyboard.press('ArrowRight');
    const chosen = await page.textContent('#elements tr.chosen th');
    assert.equal(chosen, `[${Math.floor((20 * 20_000) / 256)}]`);
  });

  test('a constant row and a row that is not finite', async () => {
    await change(() => drop('edge.csv', 'text/csv', '7,7,7\nnan,1,2\n1,2,3\n'));
    const { cells } = await table();
    assert.deepEqual(cells[0], [7, 7, 7, 7, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(cells[1].slice(3), new Array(7).fill(Number.NaN));
    assertShown(cells[2], rowOf([1, 2, 3]));
    assert.match(await text('#engine-check'), /3 not finite/);
  });
});

describe('mistakes', () => {
  beforeEach(() => open());

  const alert = (id) => page.locator(`#${id}`);

  test('a file that cannot be read leaves everything as it was', async () => {
    for (const [name, bytes, message] of [
      [
        'bad.csv',
        'x,y\n1,2\n3,oops\n5,6\n',
        'bad.csv: Line 3, column 2 (“y”) holds “oops”, expected a number',
      ],
      ['half.npy', npy('<f4', [9], new Uint8Array(4)), 'half.npy: This .npy file is cut off'],
      ['book.xlsx', 'PK\u0003\u0004', 'export the sheet as CSV'],
      ['empty.csv', '', 'The file is empty'],
      ['blob.bin', '\0\u0001\u0002', 'neither text nor a picture'],
    ]) {
      await drop(name, '', Buffer.from(bytes));
      await page.waitForFunction(
        (part) => document.querySelector('#data-error').textContent.includes(part),
        message,
      );
      assert.equal(await alert('data-error').getAttribute('role'), 'alert');
    }
    await drop('not.png', 'image/png', Buffer.from('no picture'));
    await page.waitForFunction(() =>
      document.querySelector('#data-error').textContent.includes('cannot decode'),
    );
    assert.match(await text('#dataset-name'), /Iris/);
    assertShown((await table()).cells[0], rowOf(iris[0]));

    await change(() => drop('good.csv', 'text/csv', '1,2\n3,4\n'));
    assert.ok(await alert('data-error').isHidden());
  });

  test("the package's errors stand at the control that caused them, with their code", async () => {
    await page.fill('#epsilon', '-1');
    await alert('epsilon-error').waitFor();
    assert.equal(
      await text('#epsilon-error'),
      'ERR_ARGUMENT layerNormForward: epsilon is -1, expected a finite number that is not negative',
    );
    assert.equal(await page.getAttribute('#epsilon', 'aria-invalid'), 'true');
    assert.ok(await page.locator('#stale').isVisible());
    assertShown((await table()).cells[0], rowOf(iris[0]));
    await change(() => page.fill('#epsilon', '1e-3'));
    assert.ok(await alert('epsilon-error').isHidden());
    assert.ok(await page.locator('#stale').isHidden());

    await page.uncheck('label:has-text("axis 1") input');
    await alert('axis-error').waitFor();
    assert.match(await text('#axis-error'), /^ERR_AXIS .*axis is an empty list, expected at least one axis/);
    await change(() => page.check('label:has-text("axis 0") input'));

    await change(() => page.check('#gamma-fieldset input[value=list]'));
    await page.fill('#gamma-list', '1, 2, 3');
    await alert('gamma-error').waitFor();
    assert.match(await text('#gamma-error'), /^ERR_SHAPE .*gamma has 3 elements, expected 150/);
    await page.fill('#gamma-list', '1, two');
    await page.waitForFunction(() => document.querySelector('#gamma-error').textContent.includes('“two”'));
    await change(() => page.uncheck('#gamma-on'));
    assert.ok(await alert('gamma-error').isHidden());
  });

  test('a number that is missing is asked for', async () => {
    await page.fill('#epsilon', '');
    await alert('epsilon-error').waitFor();
    assert.match(await text('#epsilon-error'), /Enter a number/);
    await page.fill('#beta-all', '');
    await alert('beta-all-error').waitFor();
    assert.equal(await text('#beta-all-error'), 'Enter a number.');
    assert.equal(await page.getAttribute('#beta-all', 'aria-invalid'), 'true');
  });
});

describe('by keyboard alone', () => {
  beforeEach(() => open());

  const focused = () =>
    page.evaluate(() => {
      const { id, name, value, textContent } = document.activeElement;
      return id || (name ? `${name}=${value}` : textContent.trim());
    });
  /** Presses Tab until something has the focus; fails when it never has. */
  const tabTo = async (what) => {
    for (let presses = 0; presses < 60; presses++) {
      if ((await focused()) === what) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${what} cannot be reached with Tab`);
  };

  test('data, settings and samples can be reached and used', async () => {
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'skip');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Explore');
    await tabTo('file');
    const ring = await page.$eval('label[for=file]', (label) => getComputedStyle(label).outlineStyle);
    assert.equal(ring, 'solid', 'the label shows the focus of its input');

    await tabTo('Paste numbers');
    await page.keyboard.press('Enter');
    await tabTo('paste');
    await page.keyboard.type('1,2,3\n4,5,9\n7,7,8');
    await change(async () => {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
    });
    assert.equal(await text('#dataset-name'), 'Pasted numbers');

    await tabTo('epsilon-range');
    await change(() => page.keyboard.press('ArrowRight'));
    assert.equal(await page.inputValue('#epsilon'), '0.0018');

    await tabTo('gamma-all');
    await change(async () => {
      await page.keyboard.press('Control+A');
      await page.keyboard.type('3');
    });

    await tabTo('samples');
    const picked = () =>
      page.$eval('[role=option][aria-selected=true]', (option) => option.textContent.replace(/\s+/g, ' '));
    assert.match(await picked(), /^x\[0, :\]/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    const { std, y } = normalize([4, 5, 9], { epsilon: 0.0018, gamma: () => 3 });
    assert.equal(
      await picked(),
      `x[1, :] before: mean 6.000, standard deviation ${std.toFixed(3)}; ` +
        `after: mean 0.000, standard deviation ${normalize(y).std.toFixed(3)}`,
    );
    assert.match(await text('#formula-text'), /^\[1\]: x hat = \(5 − 6\)/);
    const becomes = `[1]: 5 becomes −${String(Number(Math.abs(y[1]).toPrecision(4)))}.`;
    await page.waitForFunction((said) => document.querySelector('#announcer').textContent === said, becomes);
    await page.keyboard.press('End');
    assert.match(await picked(), /^x\[2, :\]/);
    await page.keyboard.press('Home');
    assert.match(await picked(), /^x\[0, :\]/);
  });

  test('a method and its groups can be chosen', async () => {
    await tabTo('method=layer');
    for (let presses = 0; presses < 4; presses++) await change(() => page.keyboard.press('ArrowRight'));
    assert.equal(await focused(), 'method=group');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'channel-axis=1');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'groups-range');
    assert.equal(await page.getAttribute('#groups-range', 'aria-valuetext'), '2 groups of 2 channels each');
    await change(() => page.keyboard.press('ArrowLeft'));
    assert.equal(await text('#axis-outcome'), '150 groups of 4 elements each');
    await tabTo('samples');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.getAttribute('#samples', 'aria-label'), 'Groups');
    assert.equal(await text('.one-name code'), 'x[1, :]');
    await page.waitForFunction(() =>
      /^150 groups normalized\. x\[0, :\]: mean/.test(document.querySelector('#announcer').textContent),
    );
  });

  test('arrow keys go on to the next page, and back', async () => {
    await page.focus('#samples');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.querySelector('.pager input').value === '2');
    assert.equal((await text('#one-name code')).trim(), 'x[25, :]');
    await page.keyboard.press('ArrowUp');
    await page.waitForFunction(() => document.querySelector('.pager input').value === '1');
    assert.equal((await text('#one-name code')).trim(), 'x[24, :]');
    await page.keyboard.press('PageDown');
    await page.waitForFunction(() => document.querySelector('.pager input').value === '2');
    assert.equal(await focused(), 'samples');
  });

  test('the skip link leads to the result', async () => {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'result-card');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'view=map');
  });

  test('a change of the result is announced in one sentence', async () => {
    await change(() => page.fill('#epsilon', '1'));
    await page.waitForFunction(() =>
      /^150 samples normalized\. x\[0, :\]: mean 2\.55, .*; after: 0 and 0\.8836\.$/.test(
        document.querySelector('#announcer').textContent,
      ),
    );
  });
});

describe('accessibility', () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      test(`${colorScheme}, ${width} pixels wide`, async () => {
        await open({ colorScheme, viewport: { width, height: 900 } });
        const look = async (what) => {
          assert.deepEqual(await violations(), [], what);
          assert.ok(await fits(), `${what} needs no horizontal scrolling`);
        };
        await look('colours');
        await page.check('input[value=table]');
        await look('table');
        await page.check('#gamma-fieldset input[value=list]');
        await page.fill('#epsilon', '-1');
        await page.locator('#stale').waitFor();
        await look('error');
        await change(() => page.fill('#epsilon', '0.1'));
        await change(() =>
          page.setInputFiles('#file', {
            name: 'a-picture-with-a-rather-long-name-without-any-space.png',
            mimeType: 'image/png',
            buffer: png(40, 30, (row, column) => [row * 8, column * 6, 90]),
          }),
        );
        await look('picture');
        await page.check('input[value=map]');
        await look('picture as colours');
        await change(() => page.selectOption('#example', 'iris'));
        for (const method of ['batch', 'group', 'instance', 'unit']) {
          await change(() => page.check(`input[name=method][value=${method}]`));
          await look(method);
        }
      });
    }
  }

  test('forced colours', async () => {
    await open({ forcedColors: 'active' });
    await change(() => page.check('input[name=method][value=group]'));
    assert.deepEqual(await violations(), []);
  });

  test('targets have at least 24 pixels', async () => {
    await open({ viewport: { width: 320, height: 900 } });
    await change(() => page.check('input[name=method][value=group]'));
    const small = await page.$$eval(
      'button, input:not([type=file]), summary, label.button, label.chip, label.switch, [role=option]',
      (targets) =>
        targets
          .filter(
            (target) =>
              target.checkVisibility() &&
              !target.closest('.chip, .switch') !== target.matches('.chip, .switch'),
          )
          .map((target) => ({
            target: target.outerHTML.slice(0, 80),
            ...target.getBoundingClientRect().toJSON(),
          }))
          .filter(({ width, height }) => width < 24 || height < 24)
          .map(({ target, width, height }) => `${target}: ${width} × ${height}`),
    );
    assert.deepEqual(small, []);
  });
});

test("works from Vite's development server, which npm start uses", async () => {
  const dev = await createServer({ ...VITE, server: { port: 5199 } });
  try {
    await dev.listen();
    await open({}, dev.resolvedUrls.local[0]);
    assertShown((await table()).cells[0], rowOf(iris[0]));
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  } finally {
    await dev.close();
  }
});
