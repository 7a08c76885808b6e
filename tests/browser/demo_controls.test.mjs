// The settings of Explore: gamma, beta and epsilon by checkbox, slider and box, sets of axes by name, and all of them at once.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, test } from 'node:test';
import { build } from 'vite';
import { at, change, drop, fits, npy, number, open, page, text, violations } from './support/demo.mjs';

const iris = readFileSync(at('web-demo/src/data/iris.csv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(',').slice(0, 4).map(Number));

/** Layer normalization in float64. */
function normalized(values, { epsilon = 1e-3, gamma = [1, 1, 1, 1], beta = [0, 0, 0, 0] } = {}) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  return values.map((value, p) => ((value - mean) / Math.sqrt(variance + epsilon)) * gamma[p] + beta[p]);
}

/** That the table shows these y of the first samples, to its three decimals. */
async function assertResult(options) {
  await page.check('input[value=table]');
  const rows = await page.$$eval('.samples-table tbody tr', (lines) =>
    lines.map((line) => [...line.querySelectorAll('td')].slice(6, 10).map((cell) => cell.textContent)),
  );
  assert.equal(rows.length, 25);
  rows.forEach((row, i) => {
    const expected = normalized(iris[i], options);
    row.map(number).forEach((value, p) => {
      assert.ok(Math.abs(value - expected[p]) <= 0.00051, `${value} is shown, expected ${expected[p]}`);
    });
  });
}

const all = (value) => new Array(4).fill(value);

describe('gamma and beta', () => {
  beforeEach(() => open());

  test('are on at first, as in Keras, and change nothing', async () => {
    assert.ok(await page.isChecked('#gamma-on'));
    assert.ok(await page.isChecked('#beta-on'));
    assert.equal(await page.inputValue('#gamma-all'), '1');
    assert.equal(await page.inputValue('#beta-all'), '0');
    assert.match(await text('#engine-call'), /, gamma, beta \}/);
    await assertResult();
    await change(() => page.uncheck('#gamma-on'));
    await change(() => page.uncheck('#beta-on'));
    assert.match(await text('#engine-call'), /epsilon: 0\.001 \}/);
    assert.ok(await page.isHidden('#gamma-all'));
    await assertResult();
  });

  test('the same for all: by slider, by box, and off and on again', async () => {
    await change(() => page.fill('#gamma-all-range', '-1.5'));
    assert.equal(await page.inputValue('#gamma-all'), '-1.5');
    await change(() => page.fill('#beta-all', '0.125'));
    assert.equal(await page.inputValue('#beta-all-range'), '0.15', 'the nearest place of the slider');
    await assertResult({ gamma: all(-1.5), beta: all(0.125) });
    await change(() => page.uncheck('#gamma-on'));
    await assertResult({ beta: all(0.125) });
    await change(() => page.check('#gamma-on'));
    await assertResult({ gamma: all(-1.5), beta: all(0.125) });
    await change(() => page.fill('#epsilon-range', '0'));
    await assertResult({ gamma: all(-1.5), beta: all(0.125), epsilon: 1 });
  });

  test('a box takes numbers beyond its slider, which stands at its end then and says them', async () => {
    await change(() => page.fill('#gamma-all', '4.5'));
    assert.equal(await page.inputValue('#gamma-all-range'), '3');
    assert.equal(await page.getAttribute('#gamma-all-range', 'aria-valuetext'), '4.5');
    await assertResult({ gamma: all(4.5) });
    await change(() => page.fill('#gamma-all-range', '2'));
    assert.equal(await page.getAttribute('#gamma-all-range', 'aria-valuetext'), null);
  });

  test('one for each column starts with what all had, by sliders and boxes', async () => {
    await change(() => page.fill('#gamma-all', '2'));
    await change(() => page.check('#gamma-fieldset input[value=list]'));
    assert.deepEqual(
      await page.$$eval('#gamma-fieldset input[type=number]', (boxes) => boxes.map(({ value }) => value)),
      all('2'),
    );
    await change(() => page.fill('#gamma-2-range', '-0.75'));
    await change(() => page.getByLabel('petal width (cm)').last().fill('7'));
    await assertResult({ gamma: [2, 2, -0.75, 7] });
    // Each way of saying it keeps its numbers.
    await change(() => page.check('#gamma-fieldset input[value=scalar]'));
    await assertResult({ gamma: all(2) });
    await change(() => page.check('#gamma-fieldset input[value=list]'));
    await assertResult({ gamma: [2, 2, -0.75, 7] });
  });

  test('what is no number is said under its box, and the result before stays', async () => {
    await change(() => page.check('#beta-fieldset input[value=list]'));
    await page.fill('#beta-1', '');
    await page.locator('#stale').waitFor();
    assert.equal(await text('#beta-1-error'), 'Enter a number.');
    assert.equal(await page.getAttribute('#beta-1', 'aria-describedby'), 'beta-1-error');
    assert.equal(await page.getAttribute('#beta-1', 'aria-invalid'), 'true');
    assert.equal(await page.getAttribute('#beta-0', 'aria-invalid'), null);
    await assertResult();
    await change(() => page.fill('#beta-1-range', '1'));
    assert.ok(await page.isHidden('#beta-1-error'));
    assert.ok(await page.isHidden('#stale'));
    await assertResult({ beta: [0, 1, 0, 0] });
  });

  test('of many elements are typed as text, and of very many are all the same', async () => {
    const x = (size) => npy('<f4', [2, size], Float32Array.from({ length: 2 * size }, Math.sin).buffer);
    await change(() => drop('x.npy', '', x(17)));
    await change(() => page.check('#gamma-fieldset input[value=list]'));
    assert.equal((await page.inputValue('#gamma-list')).split(', ').length, 17);
    await page.fill('#gamma-list', '1 2 three');
    await page.locator('#gamma-error').waitFor();
    assert.equal(await text('#gamma-error'), 'gamma of element 2 is “three”, expected a number.');
    await page.fill('#gamma-list', '1 2 3');
    await page.waitForFunction(() => /^ERR_SHAPE/.test(document.querySelector('#gamma-error').textContent));
    await change(() => drop('x.npy', '', x(5000)));
    assert.ok(await page.isDisabled('#gamma-fieldset input[value=list]'));
    assert.ok(await page.isChecked('#gamma-fieldset input[value=scalar]'));
  });

  test('by keyboard alone', async () => {
    await page.focus('#epsilon');
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'gamma-on');
    await change(() => press('Space'));
    assert.ok(await page.isHidden('#gamma-all'));
    await change(() => press('Space'));
    await press('Tab', 'Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'gamma-all-range');
    await change(() => press('ArrowRight'));
    assert.equal(await page.inputValue('#gamma-all'), '1.05');
    await press('Tab', 'Tab', 'Tab');
    await change(() => press('ArrowRight')); // one for each
    await press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'beta-0-range');
    await press('Tab');
    await change(() => page.keyboard.type('5'));
    assert.equal(await page.inputValue('#beta-0'), '5');
    await assertResult({ gamma: all(1.05), beta: [5, 0, 0, 0] });
  });
});

describe('axes and groups', () => {
  beforeEach(() => open());

  test('sets of axes have a name', async () => {
    const pressed = () =>
      page.$$eval('#axis-presets [aria-pressed=true]', (found) => found.map((b) => b.textContent));
    assert.deepEqual(await pressed(), ['each row']);
    await change(() => page.click('text=each column'));
    assert.equal(await text('#axis-outcome'), '4 samples of 150 elements each');
    await change(() =>
      drop('x.npy', '', npy('<f4', [2, 3, 4], Float32Array.from({ length: 24 }, Math.cos).buffer)),
    );
    assert.deepEqual(await pressed(), ['along the last axis (axis 2)']);
    await change(() => page.click('text=each sample (axes 1, 2)'));
    assert.equal(await text('#axis-outcome'), '2 samples of 12 elements each');
    await change(() => page.check('label:has-text("axis 0") input'));
    assert.deepEqual(await pressed(), []);
    await change(() => page.check('input[name=method][value=batch]'));
    assert.ok(await page.isHidden('#axis-presets'));
  });

  test('the slider of groups says what its ends are', async () => {
    await change(() => page.check('input[name=method][value=group]'));
    assert.deepEqual(await page.$$eval('.range-ends span', (ends) => ends.map((end) => end.textContent)), [
      '1: as layer',
      '4: as instance',
    ]);
  });
});

describe('all settings at once', () => {
  beforeEach(() => open());

  /** The panel alone, on a fresh copy of the page, with data of some shape. */
  async function panel(shape, kind = 'npy') {
    const built = await build({
      configFile: false,
      logLevel: 'warn',
      build: {
        write: false,
        lib: { entry: at('web-demo/src/explore/settings_panel.ts'), formats: ['iife'], name: 'panel' },
      },
    });
    const [{ code }] = [built].flat()[0].output;
    const address = page.url();
    await page.evaluate(`${code}; window.SettingsPanel = panel.SettingsPanel;`);
    await page.evaluate(
      async ([address, shape, kind]) => {
        const copy = new DOMParser().parseFromString(await (await fetch(address)).text(), 'text/html');
        document.body.replaceChildren(copy.querySelector('#view-explore'));
        window.changes = 0;
        window.panel = new window.SettingsPanel(() => window.changes++);
        const elements = shape.reduce((a, b) => a * b);
        window.panel.setDataset({ kind, axes: shape.map((size) => ({ size })), elements });
      },
      [address, shape, kind],
    );
  }
  const set = (settings) =>
    page.evaluate((settings) => {
      window.panel.settings = settings;
      return { ...window.panel.settings, changes: window.changes };
    }, settings);

  test('come back as they were set, whatever was set before', async () => {
    await panel([6, 4, 3]);
    for (const settings of [
      { method: 'layer', axis: [1, 2], groups: 1, epsilon: 1e-5, gamma: 2.5, beta: undefined },
      { method: 'group', axis: [1], groups: 4, epsilon: 0.5, gamma: [1, 2, 3, -4], beta: 7 },
      { method: 'rms', axis: [2], groups: 4, epsilon: 0, gamma: [0.5, 0, 1], beta: undefined },
      { method: 'batch', axis: [0], groups: 4, epsilon: 3, gamma: undefined, beta: [1, 2, 3, 4, 5, 6] },
      { method: 'instance', axis: [2], groups: 4, epsilon: 1e-12, gamma: 1, beta: 0 },
      { method: 'layer', axis: [0], groups: 4, epsilon: 1e-3, gamma: 1, beta: 0 },
    ]) {
      const found = await set(settings);
      assert.deepEqual(found, { ...settings, changes: 0 });
      const { method, epsilon } = settings;
      assert.equal(await page.inputValue('input[name=method]:checked'), method);
      assert.equal(Number(await page.inputValue('#epsilon')), epsilon);
    }
    await set({ method: 'group', axis: [1], groups: 4, epsilon: 1, gamma: [1, 2, 3, -4], beta: 7 });
    assert.match(await text('#groups-outcome'), /^4 groups/);
    assert.deepEqual(
      await page.$$eval('#gamma-fieldset input[type=number]', (boxes) => boxes.map(({ value }) => value)),
      ['1', '2', '3', '-4'],
    );
    assert.equal(await page.inputValue('#beta-all'), '7');
  });

  test('what the data have no room for stays as it is', async () => {
    await panel([6, 4, 3]);
    const { axis, groups, gamma } = await set({
      method: 'group',
      axis: [0],
      groups: 5,
      epsilon: 1,
      gamma: [1, 2],
      beta: 0,
    });
    assert.deepEqual({ axis, groups, gamma }, { axis: [2], groups: 1, gamma: 1 });
    assert.deepEqual((await set({ method: 'layer', axis: [7], epsilon: 1 })).axis, [2]);
    await panel([5]);
    assert.equal((await set({ method: 'group', axis: [0], groups: 1, epsilon: 1 })).method, 'layer');
  });
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 320]) {
    test(`the controls are accessible: ${colorScheme}, ${width} pixels wide`, async () => {
      await open({ colorScheme, viewport: { width, height: 900 } });
      await change(() => page.check('#gamma-fieldset input[value=list]'));
      await page.fill('#gamma-3', '');
      await page.locator('#gamma-3-error').waitFor();
      assert.deepEqual(await violations(), []);
      assert.ok(await fits(), 'no horizontal scrolling');
    });
  }
}
