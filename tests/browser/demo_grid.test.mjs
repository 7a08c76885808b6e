// The batch as a grid, as it is built, in Chromium: its numbers, what lights up, how one changes a number, and what is said of it.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { change, drop, fits, npy, number, open, page, settled, text, violations } from './support/demo.mjs';

const ORDINARY = [0.5, -1, 1.5, 0.25, -0.75, 2, -1.5, 0.75];
const BATCH = [
  ORDINARY,
  ORDINARY.map((value) => value * 10),
  ORDINARY.map((value) => value + 5),
  [2, 2.01, 1.99, 2, 2.02, 2, 1.98, 2.01],
  [0.25, -0.5, 0.5, 12, 0, -0.25, 0.75, -0.5],
  [-2.5, -4, -1.75, -3.25, -2, -4.5, -3, -1.25],
].flat();

const PANELS = ['before', 'after', 'contrast'];

/** The numbers of a panel, as precisely as the page says them. */
const numbersOf = async (panel) =>
  (
    await page.$$eval(`#grid-${panel} .grid-cell`, (cells) =>
      cells.map((cell) => cell.getAttribute('aria-label').split(' ').at(-1)),
    )
  ).map((said) => (said === '∞' ? Infinity : said === '−∞' ? -Infinity : number(said)));

const classOf = (panel, name) =>
  page.$$eval(
    `#grid-${panel} .grid-cell`,
    (cells, name) => cells.flatMap((cell, i) => (cell.classList.contains(name) ? [i] : [])),
    name,
  );
const cell = (i, panel = 'before') => page.locator(`#grid-${panel} .grid-cell`).nth(i);
const readouts = () => page.$$eval('.grid-readout', (all) => all.map(({ textContent }) => textContent));
const moved = () => text('#grid-moved');
/** What is in focus: the name of a cell without its number, or of a button. */
const focused = () =>
  page.evaluate(() => {
    const { ariaLabel, id } = document.activeElement;
    return /^x\[[\d, ]+\]/.exec(ariaLabel ?? '')?.[0] ?? ariaLabel ?? id;
  });

/**
 * Normalization in float64 of groups of elements.
 * @param keyOf - which group element i belongs to
 */
function normalize(values, keyOf, epsilon = 1e-3) {
  const groups = new Map();
  for (const i of values.keys()) groups.set(keyOf(i), [...(groups.get(keyOf(i)) ?? []), i]);
  const y = new Array(values.length);
  for (const members of groups.values()) {
    const mean = members.reduce((total, i) => total + values[i], 0) / members.length;
    const variance = members.reduce((total, i) => total + (values[i] - mean) ** 2, 0) / members.length;
    for (const i of members) y[i] = (values[i] - mean) / Math.sqrt(variance + epsilon);
  }
  return y;
}

function assertClose(actual, expected, what) {
  assert.equal(actual.length, expected.length, what);
  actual.forEach((value, i) => {
    const most = 2e-5 * Math.max(1, Math.abs(expected[i]));
    assert.ok(Math.abs(value - expected[i]) <= most, `${what} [${i}] is ${value}, expected ${expected[i]}`);
  });
}

/** What the three panels show is x, and what float64 makes of it. */
async function assertGrid(x, keyOf, contrastKeyOf) {
  assertClose(await numbersOf('before'), x, 'x');
  assertClose(await numbersOf('after'), normalize(x, keyOf), 'after');
  assertClose(await numbersOf('contrast'), normalize(x, contrastKeyOf), 'beside');
}

const sample = (i) => i >> 3;
const feature = (i) => i % 8;
const opened = (state = '', options = {}) => open(options, undefined, state);
const choose = (method) => change(() => page.check(`input[name=method][value=${method}]`));

describe('what the grid shows', () => {
  test('the small batch at first, with layer and batch normalization as float64 has them', async () => {
    await opened();
    assert.equal(await page.inputValue('#example'), 'batch');
    assert.ok(await page.isChecked('input[name=view][value=grid]'));
    await assertGrid(BATCH, sample, feature);
    const after = await numbersOf('after');
    assert.deepEqual(after.slice(16, 24), after.slice(0, 8), 'the same plus 5');
    assert.deepEqual(await page.$$eval('.grid-title', (all) => all.map((one) => one.textContent)), [
      'Before',
      'After: layer normalization',
      'Or: batch normalization',
    ]);
    // All of it is on the first screen, side by side.
    const boxes = await Promise.all(PANELS.map((panel) => page.locator(`#grid-${panel}`).boundingBox()));
    assert.ok(boxes.every(({ y, height }) => y + height < 900 && y === boxes[0].y));
    assert.ok(boxes[0].x < boxes[1].x && boxes[1].x < boxes[2].x);

    await choose('group');
    await assertGrid(BATCH, (i) => i >> 1, feature);
    await choose('batch');
    await assertGrid(BATCH, feature, sample);
    assert.match(await text('#grid-contrast-title'), /layer normalization/);
  });

  test('tokens: [B, T, D]', async () => {
    await opened('?example=tokens');
    const x = await numbersOf('before');
    assert.equal(x.length, 36);
    const [token, within] = [(i) => Math.floor(i / 6), (i) => i % 6];
    await assertGrid(x, token, within);
    await choose('group');
    // Three groups of two channels, each across the tokens of a sample.
    await assertGrid(x, (i) => `${Math.floor(i / 18)} ${within(i) >> 1}`, within);
    await choose('batch');
    await assertGrid(x, within, token);
  });

  test('feature maps: [N, C, H, W], whose channels are axis 1', async () => {
    await opened('?example=maps');
    const x = await numbersOf('before');
    assert.equal(x.length, 72);
    const [picture, channel] = [(i) => Math.floor(i / 36), (i) => Math.floor(i / 9) % 4];
    await assertGrid(x, picture, channel);
    assert.match(await text('#engine-call'), /axis: \[1, 2, 3\]/);
    await choose('group');
    assert.match(await text('#engine-call'), /axis: 1, groups: 2/);
    await assertGrid(x, (i) => `${picture(i)} ${channel(i) >> 1}`, channel);
    await choose('batch');
    await assertGrid(x, channel, picture);
  });

  test('many samples in pages, and says what is not drawn', async () => {
    await opened('?example=iris');
    assert.match(await text('.grid-caption'), /Samples 0 to 11 of 150 are drawn\./);
    assert.equal((await numbersOf('before')).length, 48);
    await page.click('text=Next');
    await page.waitForFunction(
      () => document.querySelector('#grid-before .grid-name b').textContent === '12',
    );
    await cell(4).focus();
    await page.keyboard.press('PageUp');
    await page.waitForFunction(() => document.querySelector('#grid-before .grid-name b').textContent === '0');

    const wide = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i) * 1e-4 + 1e6);
    await change(() => drop('wide.npy', '', npy('<f4', [2, 100], wide.buffer)));
    await page.check('input[name=view][value=grid]');
    await page.waitForFunction(() =>
      /48 of the 100 numbers/.test(document.querySelector('.grid-caption').textContent),
    );
    const y = normalize([...wide], (i) => Math.floor(i / 100));
    assertClose(await numbersOf('after'), [...y.slice(0, 48), ...y.slice(100, 148)], 'after');
    assert.ok(await fits());
  });

  test('an address that names no example or view leads to the first ones', async () => {
    await opened('?example=constructor&view=toString');
    assert.equal(await page.inputValue('#example'), 'batch');
    assert.ok(await page.isChecked('input[name=view][value=grid]'));
    await change(() => page.selectOption('#example', 'maps'));
    await page.waitForFunction(() => location.hash === '#explore?example=maps');
    await change(() => page.selectOption('#example', 'batch'));
    await page.waitForFunction(() => location.hash === '#explore');
  });
});

describe('the cell in focus', () => {
  beforeEach(() => opened());

  test('lights up with all that share a statistic with it, in all panels', async () => {
    await cell(19).hover();
    const row = [16, 17, 18, 19, 20, 21, 22, 23];
    const column = [3, 11, 19, 27, 35, 43];
    assert.deepEqual(await classOf('before', 'same'), row);
    assert.deepEqual(await classOf('after', 'same'), row);
    assert.deepEqual(await classOf('contrast', 'same'), column);
    for (const panel of PANELS) assert.deepEqual(await classOf(panel, 'current'), [19]);
    const [before, after, contrast] = await readouts();
    assert.equal(before, 'x[2, 3] = 5.25');
    assert.match(after, /^0\.0272: mean 5\.22, variance 1\.32 of 8 cells in sample 2$/);
    assert.match(contrast, /of 6 cells in all 6 samples$/);
    await choose('instance');
    await cell(19).hover();
    assert.deepEqual(await classOf('after', 'same'), [19]);
    await choose('batch');
    await cell(19, 'after').hover();
    assert.deepEqual(await classOf('after', 'same'), column);
    assert.deepEqual(await classOf('contrast', 'same'), row);
  });

  test('is put into the formula, with every number that goes into y', async () => {
    await change(() => page.fill('#gamma-fieldset input[type=number]', '2'));
    await change(() => page.fill('#beta-fieldset input[type=number]', '-1'));
    await cell(10, 'after').hover();
    await page.waitForFunction(() => document.querySelector('#one-values dd').textContent === '15');
    const values = Object.fromEntries(
      await page.$$eval('#one-values > div', (all) =>
        all.map((one) => [one.querySelector('dt').textContent, one.querySelector('dd').textContent]),
      ),
    );
    const x = BATCH.slice(8, 16);
    const mean = x.reduce((a, b) => a + b) / 8;
    const variance = x.reduce((total, value) => total + (value - mean) ** 2, 0) / 8;
    const rstd = 1 / Math.sqrt(variance + 1e-3);
    const hat = (15 - mean) * rstd;
    const expected = [15, mean, variance, 1e-3, rstd, hat, 2, -1, 2 * hat - 1];
    assert.deepEqual(Object.keys(values), [
      'x',
      'μ mean',
      'σ² variance',
      'ε epsilon',
      '1/√(σ² + ε) rstd',
      'x̂ normalized',
      'γ gamma',
      'β beta',
      'y',
    ]);
    Object.values(values).forEach((shown, i) => {
      assert.ok(Math.abs(number(shown) / expected[i] - 1) < 6e-4, `${shown}, expected ${expected[i]}`);
    });
    assert.match(await text('#formula-text'), /^\[2\]: x hat = \(15 − 2\.188\) \/ √/);
    await choose('rms');
    assert.deepEqual(
      await page.$$eval('#one-values dt', (all) => all.map((one) => one.textContent.split(' ').at(-1))),
      ['x', 'square', 'epsilon', 'factor', 'normalized', 'gamma', 'y'],
    );
  });

  test('a click pins it until Escape', async () => {
    await cell(12).click();
    await cell(33).hover();
    await page.mouse.move(5, 5);
    assert.deepEqual(await classOf('contrast', 'current'), [12]);
    assert.equal(await cell(12).getAttribute('aria-selected'), 'true');
    assert.ok(await page.isVisible('text=Unpin'));
    await page.keyboard.press('Escape');
    await cell(33).hover();
    assert.deepEqual(await classOf('contrast', 'current'), [33]);
    await page.mouse.move(5, 5);
    assert.deepEqual(await classOf('contrast', 'current'), [12]);
  });

  test('follows the arrow keys, in each of the three grids', async () => {
    for (const panel of PANELS) {
      assert.equal(await page.getAttribute(`#grid-${panel}`, 'role'), 'grid');
      assert.equal(await page.locator(`#grid-${panel} [tabindex="0"]`).count(), 1);
    }
    await page.locator('#grid-after [tabindex="0"]').focus();
    const press = async (key) => {
      await page.keyboard.press(key);
      return focused();
    };
    assert.equal(await press('ArrowRight'), 'x[0, 1]');
    assert.equal(await press('ArrowDown'), 'x[1, 1]');
    assert.equal(await press('End'), 'x[1, 7]');
    assert.equal(await press('ArrowRight'), 'x[1, 7]');
    assert.equal(await press('Home'), 'x[1, 0]');
    assert.equal(await press('Control+End'), 'x[5, 7]');
    assert.equal(await press('ArrowUp'), 'x[4, 7]');
    assert.equal(await press('Control+Home'), 'x[0, 0]');
    assert.equal(await press('Shift+Tab'), 'x[0, 0]');
    assert.ok(
      await page.evaluate(() => document.querySelector('#grid-before').contains(document.activeElement)),
    );
    await page.waitForFunction(() =>
      /^x\[0, 0\]: 0\.5 becomes 0\.2448; with batch normalization −0\.4637\.$/.test(
        document.querySelector('#announcer').textContent,
      ),
    );
  });

  test('goes through maps as one sees them', async () => {
    await change(() => page.selectOption('#example', 'maps'));
    await cell(0).focus();
    for (const [key, expected] of [
      ['ArrowRight', 'x[0, 0, 0, 1]'],
      ['ArrowRight', 'x[0, 0, 0, 2]'],
      ['ArrowRight', 'x[0, 1, 0, 0]'],
      ['ArrowDown', 'x[0, 1, 1, 0]'],
      ['Control+End', 'x[1, 3, 2, 2]'],
    ]) {
      await page.keyboard.press(key);
      assert.equal(await focused(), expected);
    }
  });
});

describe('changing numbers', () => {
  beforeEach(() => opened());

  const LESSON =
    'You changed x[2, 3]. Layer normalization: 8 values of 1 sample moved. ' +
    'Batch normalization: 6 values of 6 samples moved.';
  const said = (sentence) =>
    page.waitForFunction(
      (sentence) => document.querySelector('#grid-moved').textContent === sentence,
      sentence,
    );
  const changed = (i, value) => BATCH.with(i, value);

  test('by keyboard: only that sample moves, and with batch normalization all', async () => {
    await cell(19).focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.inputValue('.cell-input'), '5.25');
    await page.keyboard.type('-3.5');
    await page.keyboard.press('Enter');
    await said(LESSON);
    assert.equal(await focused(), 'x[2, 3]');
    await settled();
    await assertGrid(changed(19, -3.5), sample, feature);
    assert.deepEqual(await classOf('before', 'moved'), [19]);
    assert.deepEqual(await classOf('after', 'moved'), [16, 17, 18, 19, 20, 21, 22, 23]);
    assert.deepEqual(await classOf('contrast', 'moved'), [3, 11, 19, 27, 35, 43]);
    await page.waitForFunction(
      (sentence) => document.querySelector('#announcer').textContent === sentence,
      LESSON,
    );
    // A digit starts a number, and F2 goes on with the one that is there.
    await page.keyboard.type('7');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /= 7,/.test(document.querySelector('.grid-readout').textContent));
    await page.keyboard.press('F2');
    assert.equal(await page.inputValue('.cell-input'), '7');
    await page.keyboard.press('Escape');
    await page.keyboard.press('+');
    await page.waitForFunction(() => /= 7\.25,/.test(document.querySelector('.grid-readout').textContent));
    await page.keyboard.press('-');
    await page.waitForFunction(() => /= 7,/.test(document.querySelector('.grid-readout').textContent));
    // The other views show the same numbers.
    await page.check('input[name=view][value=table]');
    await page.waitForFunction(
      () => document.querySelectorAll('.samples-table tbody tr')[2].cells[4].textContent === '7',
    );
  });

  test('by a double click; what is no number is said and not taken', async () => {
    await cell(19).dblclick();
    await page.fill('.cell-input', 'abc');
    await page.keyboard.press('Enter');
    assert.match(await text('#grid-error'), /“abc” is no number/);
    assert.equal(await page.getAttribute('.cell-input', 'aria-invalid'), 'true');
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.cell-input').count(), 0);
    assert.ok(await page.isHidden('#grid-error'));
    await assertGrid(BATCH, sample, feature);
    await cell(19).dblclick();
    await page.fill('.cell-input', '1e3');
    await page.keyboard.press('Enter');
    await said(LESSON);
    await assertGrid(changed(19, 1000), sample, feature);
  });

  test('infinities and NaN spoil their sample, and with batch normalization their column', async () => {
    for (const typed of ['inf', 'nan', '-inf']) {
      await cell(19).dblclick();
      await page.fill('.cell-input', typed);
      await page.keyboard.press('Enter');
      await page.waitForFunction(
        (value) => document.querySelector('.grid-readout').textContent.includes(value),
        { inf: ' ∞', nan: 'NaN', '-inf': '−∞' }[typed],
      );
      const spoilt = async (panel) =>
        (await numbersOf(panel)).flatMap((value, i) => (Number.isNaN(value) ? [i] : []));
      assert.deepEqual(await spoilt('after'), [16, 17, 18, 19, 20, 21, 22, 23]);
      assert.deepEqual(await spoilt('contrast'), [3, 11, 19, 27, 35, 43]);
    }
    await page.click('text=Reset');
    await said(
      'You put all numbers back. Layer normalization: 8 values of 1 sample moved. Batch normalization: 6 values of 6 samples moved.',
    );
    await assertGrid(BATCH, sample, feature);
  });

  test('by dragging, live, and all of a drag is one change', async () => {
    const { x, y, width, height } = await cell(19).boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + height / 2 - 20, { steps: 5 });
    await page.waitForFunction(() => /= 6\.5,/.test(document.querySelector('.grid-readout').textContent));
    await said(LESSON);
    await page.mouse.move(x + width / 2, y + height / 2 + 400, { steps: 5 });
    await page.waitForFunction(() => /= −19\.75,/.test(document.querySelector('.grid-readout').textContent));
    await page.mouse.up();
    await said(LESSON);
    await assertGrid(changed(19, -19.75), sample, feature);
    await page.keyboard.press('Control+z');
    await page.waitForFunction(() =>
      /^You took the last change back/.test(document.querySelector('#grid-moved').textContent),
    );
    await assertGrid(BATCH, sample, feature);
    assert.equal(await page.getAttribute('button:text("Undo")', 'aria-disabled'), 'true');
    assert.equal(await page.getAttribute('button:text("Reset")', 'aria-disabled'), 'true');
  });

  test('a whole sample: layer normalization does not see a shift, batch normalization does', async () => {
    await page.getByRole('button', { name: 'Shift sample 2 up by 1' }).click();
    await said(
      'You shifted sample 2 up by 1. Layer normalization: no value moved. Batch normalization: 48 values of 6 samples moved.',
    );
    const shifted = BATCH.map((value, i) => (sample(i) === 2 ? value + 1 : value));
    await assertGrid(shifted, sample, feature);
    await page.getByRole('button', { name: 'Multiply sample 0 by 2' }).click();
    await page.waitForFunction(() =>
      /^You multiplied sample 0 by 2\./.test(document.querySelector('#grid-moved').textContent),
    );
    await assertGrid(
      shifted.map((value, i) => (sample(i) === 0 ? value * 2 : value)),
      sample,
      feature,
    );
    await page.click('text=Undo');
    await page.waitForFunction(() => /^You took/.test(document.querySelector('#grid-moved').textContent));
    await assertGrid(shifted, sample, feature);
    // By keyboard: the buttons of a sample stand before its first cell.
    await cell(8).focus();
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(), 'Multiply sample 1 by 2');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(), 'Shift sample 1 down by 10');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() =>
      /^You shifted sample 1 down by 10\./.test(document.querySelector('#grid-moved').textContent),
    );
    assert.equal(await focused(), 'Shift sample 1 down by 10');
  });

  test('integers become float32, and settings are kept', async () => {
    await change(() =>
      drop(
        'bytes.npy',
        '',
        npy(
          '|u1',
          [3, 4],
          Uint8Array.from({ length: 12 }, (_, i) => i * i),
        ),
      ),
    );
    await change(() => page.fill('#epsilon', '2'));
    await cell(5).dblclick();
    await page.fill('.cell-input', '0.5');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /= 0\.5,/.test(document.querySelector('.grid-readout').textContent));
    const x = Array.from({ length: 12 }, (_, i) => i * i).with(5, 0.5);
    assertClose(
      await numbersOf('after'),
      normalize(x, (i) => i >> 2, 2),
      'after',
    );
    assertClose(
      await numbersOf('contrast'),
      normalize(x, (i) => i % 4, 2),
      'beside',
    );
    await settled();
    assert.equal(await text('#dataset-shape'), '[3, 4] float32');
    assert.ok(Number.parseFloat(await text('#engine-error')) <= 3);
  });
});

test('with a finger: a tap pins, then the cell is dragged; elsewhere the page scrolls', async () => {
  await opened('', { viewport: { width: 360, height: 800 }, hasTouch: true });
  const touchAction = (i) => cell(i).evaluate((one) => getComputedStyle(one).touchAction);
  await cell(19).tap();
  assert.equal(await touchAction(19), 'none');
  assert.equal(await touchAction(20), 'manipulation');
  await cell(19).evaluate((one) => one.scrollIntoView({ block: 'center' }));
  const { x, y, width, height } = await cell(19).boundingBox();
  const session = await page.context().newCDPSession(page);
  const touch = (type, up = 0) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: type === 'touchEnd' ? [] : [{ x: x + width / 2, y: y + height / 2 - up }],
    });
  await touch('touchStart');
  for (const up of [4, 10, 16, 20]) await touch('touchMove', up);
  await touch('touchEnd');
  await page.waitForFunction(() => /= 6\.5,/.test(document.querySelector('.grid-readout').textContent));
  assert.match(await moved(), /^You changed x\[2, 3\]\./);
  await page.getByRole('button', { name: 'Shift sample 2 up by 1' }).tap();
  await page.waitForFunction(() =>
    /^You shifted sample 2/.test(document.querySelector('#grid-moved').textContent),
  );
});

describe('accessibility', () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      test(`${colorScheme}, ${width} pixels wide`, async () => {
        await opened('', { colorScheme, viewport: { width, height: 900 } });
        const look = async (what) => {
          assert.deepEqual(await violations(), [], what);
          assert.ok(await fits(), `${what} needs no horizontal scrolling`);
        };
        await cell(23).dblclick();
        await page.fill('.cell-input', 'abc');
        await page.keyboard.press('Enter');
        await look('a number that is none');
        await page.fill('.cell-input', '4');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() =>
          /^You changed/.test(document.querySelector('#grid-moved').textContent),
        );
        await look('a change');
        await change(() => page.selectOption('#example', 'maps'));
        await look('maps');
      });
    }
  }

  test('forced colours show numbers, who shares and what moved', async () => {
    await opened('', { forcedColors: 'active' });
    await cell(19).dblclick();
    await page.fill('.cell-input', '4');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /^You changed/.test(document.querySelector('#grid-moved').textContent));
    assert.deepEqual(await violations(), []);
    const border = (i) => cell(i).evaluate((one) => getComputedStyle(one).borderTopStyle);
    assert.deepEqual([await border(18), await border(30)], ['double', 'solid']);
  });

  test('targets have at least 24 pixels', async () => {
    await opened('', { viewport: { width: 320, height: 900 } });
    const small = await page.$$eval(
      '#view-grid :is(button, .grid-cell)',
      (targets) =>
        targets
          .filter((target) => target.checkVisibility())
          .map((target) => target.getBoundingClientRect())
          .filter(({ width, height }) => width < 24 || height < 24).length,
    );
    assert.equal(small, 0);
  });
});
