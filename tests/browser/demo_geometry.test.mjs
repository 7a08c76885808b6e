// Geometry, in Chromium: its points against float64, the plane, circle and sphere they lie on, the address, motion, and whether it
// can be used by keyboard and with a screen reader.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fits, number, page, text, url, violations, visit } from './support/demo.mjs';

const ready = () => page.waitForSelector('.space .point.own', { state: 'attached' });
async function start(state = '', options = { reducedMotion: 'reduce' }) {
  await visit(`${url}#geometry${state && `?${state}`}`, options);
  await ready();
}

const DEFAULT = { x: [2.2, -0.4, 1.5], gamma: [1.6, 1, 0.5], beta: [0.5, 0.3, 0.6], epsilon: 1e-3 };

/** What a sample is after each step, in float64. */
function stepsOf(method, x, { epsilon, gamma, beta } = DEFAULT) {
  const isLayer = method === 'layer';
  const mean = isLayer ? (x[0] + x[1] + x[2]) / 3 : 0;
  const centred = x.map((k) => k - mean);
  const square = (centred[0] ** 2 + centred[1] ** 2 + centred[2] ** 2) / 3;
  const scaled = centred.map((k) => k / Math.sqrt(square + epsilon));
  return [x, centred, scaled, scaled.map((k, d) => k * gamma[d] + (isLayer ? beta[d] : 0))];
}

const cells = (selector) =>
  page.$$eval(`${selector} tbody tr`, (rows) =>
    rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)),
  );
const own = async () => (await cells('#geometry-table')).map((row) => row.map(number));
const all = async () => (await cells('#geometry-all-table')).map((row) => row.map(number));
const step = (n) => page.check(`input[name=geometry-step][value="${n}"]`);
/** Waits until the table says what a choice leads to. */
const shows = (row, column, expected) =>
  page.waitForFunction(
    ([row, column, expected]) => {
      const cell = document.querySelector(
        `#geometry-table tbody tr:nth-child(${row + 1}) td:nth-child(${column + 2})`,
      );
      return Math.abs(Number(cell?.textContent.replace('−', '-')) - expected) < 2e-4;
    },
    [row, column, expected],
  );

function assertClose(actual, expected, message) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 6e-5, `${message}: ${value}, expected ${expected[i]}`);
  });
}

function assertOwn(rows, expected) {
  rows.forEach((row, i) => {
    const p = expected[i];
    assertClose(row, [...p, (p[0] + p[1] + p[2]) / 3, Math.hypot(...p)], `step ${i}`);
  });
}

describe('the numbers', () => {
  for (const method of ['layer', 'rms']) {
    test(`${method}: one's own point at each step is that of float64`, async () => {
      await start(`method=${method}`);
      assertOwn(await own(), stepsOf(method, DEFAULT.x));
      const settings = { epsilon: 10 ** -0.5, gamma: [-1.5, 2, 0.25], beta: [1, 0, -2] };
      const x = [-1.25, 0.5, 2.75];
      await start(
        `method=${method}&x=${x}&gamma=${settings.gamma}&beta=${settings.beta}&epsilon=-0.5&step=3`,
      );
      assertOwn(await own(), stepsOf(method, x, settings));
      assert.match(await text('#geometry-engine'), /^Computed by layernorm \d/);
    });

    test(`${method}: all points are where the step brings them`, async () => {
      await start(`method=${method}`);
      await page.click('.geometry-all summary');
      const first = await all();
      assert.equal(first.length, 31);
      const expected = first.map(([a, b, c]) => stepsOf(method, [a, b, c]));
      for (const n of [1, 2, 3]) {
        await step(n);
        (await all()).forEach(([a, b, c, distance], i) => {
          // What is shown of x is rounded, which counts most where x is small.
          const slack =
            1e-4 + (5e-4 * Math.hypot(...expected[i][2])) / Math.max(0.01, Math.hypot(...expected[i][1]));
          [a, b, c].forEach((k, d) => {
            assert.ok(
              Math.abs(k - expected[i][n][d]) < slack * 3,
              `step ${n}, point ${i}: ${k}, ${expected[i][n][d]}`,
            );
          });
          assert.ok(Math.abs(distance - Math.hypot(a, b, c)) < 2e-4);
          if (method === 'layer' && n < 3) assert.ok(Math.abs(a + b + c) < 3e-4, 'in the plane');
          const far = Math.hypot(...expected[i][1]) > 0.75;
          if (n === 2 && far) assert.ok(Math.abs(distance - Math.sqrt(3)) < 5e-3, 'on the circle or sphere');
        });
      }
    });
  }

  test('epsilon pulls points inside, and what is said of it is what is drawn', async () => {
    await start('step=2&epsilon=-6');
    await page.click('.geometry-all summary');
    const inside = async () =>
      (await all()).filter(([, , , distance]) => distance < 0.95 * Math.sqrt(3)).length;
    const drawn = () => page.locator('.point.inside').count();
    const few = await inside();
    assert.equal(await drawn(), few);
    await page.fill('#geometry-epsilon', '0');
    await shows(2, 4, Math.hypot(...stepsOf('layer', DEFAULT.x, { ...DEFAULT, epsilon: 1 })[2]));
    const many = await inside();
    assert.equal(await drawn(), many);
    assert.ok(many > few + 10, `${few}, then ${many}`);
    assert.match(
      await text('#geometry-aside'),
      new RegExp(`^${many} of 31 points, drawn hollow, stay inside the circle`),
    );
    assert.equal(await text('#geometry-epsilon-text'), 'ε = 1');
  });
});

describe('the picture', () => {
  const dots = () =>
    page.$eval('.space', (root) => {
      const scale = Number(root.getAttribute('data-scale'));
      const [cx, cy] = [root.getAttribute('width') / 2, root.getAttribute('height') / 2];
      return [...root.querySelectorAll('.point')].map((dot) => ({
        x: (dot.getAttribute('cx') - cx) / scale,
        y: (cy - dot.getAttribute('cy')) / scale,
        isInside: dot.matches('.inside'),
        isOwn: dot.matches('.own'),
      }));
    });

  test('along (1, 1, 1) one sees the circle, from its edge a line', async () => {
    await start('step=2&epsilon=-6');
    await page.click('#geometry-look-axis');
    const seen = await dots();
    assert.equal(seen.length, 31);
    for (const { x, y, isInside } of seen) {
      const distance = Math.hypot(x, y);
      assert.ok(isInside ? distance < 1.66 : distance > 1.64 && distance < 1.7325, `${distance}`);
    }
    await page.click('#geometry-look-edge');
    // All at one place across the plane: on a line through the middle.
    const line = await dots();
    const { x, y } = line.find(({ isOwn }) => isOwn);
    for (const one of line) {
      assert.ok(Math.abs(one.x * y - one.y * x) < 0.02, `${one.x}, ${one.y}`);
    }
  });

  test('one sees a point where its coordinates are', async () => {
    await start('turn=0,0');
    const { x, y } = (await dots()).find(({ isOwn }) => isOwn);
    assert.ok(Math.abs(x - DEFAULT.x[1]) < 0.01 && Math.abs(y - DEFAULT.x[2]) < 0.01, `${x}, ${y}`);
    await start('turn=90,0');
    const side = (await dots()).find(({ isOwn }) => isOwn);
    assert.ok(Math.abs(side.x + DEFAULT.x[0]) < 0.01, `${side.x}`);
  });

  test('a step moves the points there, and stands still for whoever asks for less motion', async () => {
    for (const reducedMotion of ['no-preference', 'reduce']) {
      await start('', { reducedMotion });
      await page.evaluate(() => {
        window.places = [];
        new MutationObserver(() => {
          const dot = document.querySelector('.point.own');
          window.places.push(`${dot.getAttribute('cx')} ${dot.getAttribute('cy')}`);
        }).observe(document.querySelector('.space'), { childList: true });
      });
      await page.click('#geometry-next');
      await page.waitForFunction(() => window.places.length > 0 && !document.querySelector('[data-moving]'));
      const places = new Set(await page.evaluate(() => window.places));
      if (reducedMotion === 'reduce') assert.equal(places.size, 1);
      else assert.ok(places.size > 4, `${places.size} places`);
      const moved = (await dots()).find(({ isOwn }) => isOwn);
      await page.close();
      await start('step=1');
      const there = (await dots()).find(({ isOwn }) => isOwn);
      assert.deepEqual(moved, there, 'where a link to the step has it');
      if (reducedMotion !== 'reduce') await page.close();
    }
  });

  test('it is turned by dragging, and the sliders follow', async () => {
    await start();
    const box = await page.locator('.space').boundingBox();
    await page.mouse.move(box.x + 100, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + 150, box.y + 125);
    await page.mouse.up();
    assert.equal(await page.getAttribute('.space', 'data-yaw'), '-42.0');
    assert.equal(await page.getAttribute('.space', 'data-pitch'), '24.0');
    assert.equal(await page.inputValue('#geometry-yaw'), '-42');
    assert.equal(await page.inputValue('#geometry-pitch'), '24');
    await page.waitForFunction(() => location.hash === '#geometry?turn=-42,24');
  });
});

describe('the address', () => {
  test('restores everything that has been chosen', async () => {
    await start();
    await page.check('input[name=geometry-method][value=rms]');
    await step(3);
    await page.fill('#geometry-x-2', '1.25');
    await page.fill('#geometry-gamma-1', '-1.5');
    await page.fill('#geometry-epsilon', '-2');
    await page.fill('#geometry-yaw', '100');
    await page.click('#geometry-cloud');
    await page.check('input[name=geometry-method][value=layer]');
    await page.fill('#geometry-beta-3', '-0.5');
    const x = [2.2, 1.25, 1.5];
    const settings = { epsilon: 0.01, gamma: [-1.5, 1, 0.5], beta: [0.5, 0.3, -0.5] };
    const expected = stepsOf('layer', x, settings);
    await shows(3, 2, expected[3][2]);
    await page.click('.geometry-all summary');
    const [rows, others] = [await own(), await all()];
    assertOwn(rows, expected);
    await page.waitForFunction(() => location.hash.includes('beta='));
    const address = page.url();
    assert.match(address, /#geometry\?.*x=2.2,1.25,1.5/);
    await page.close();
    await visit(address, { reducedMotion: 'reduce' });
    await ready();
    assert.deepEqual(await own(), rows);
    await page.click('.geometry-all summary');
    assert.deepEqual(await all(), others);
    assert.ok(await page.isChecked('input[name=geometry-step][value="3"]'));
    assert.equal(await page.inputValue('#geometry-gamma-1'), '-1.5');
    assert.equal(await page.getAttribute('.space', 'data-yaw'), '100.0');
    assert.ok(await page.locator('#view-explore').isHidden(), 'no other view is seen');
  });

  test('bad values are left aside', async () => {
    await start('step=9&x=1,2&gamma=a,b,c&epsilon=1e9&turn=x&method=none&cloud=-4');
    assertOwn(await own(), stepsOf('layer', DEFAULT.x));
    assert.ok(await page.isChecked('input[name=geometry-step][value="0"]'));
  });
});

describe('accessibility', () => {
  test('by the keyboard alone', async () => {
    await start();
    await page.focus('input[name=geometry-step]:checked');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.match(await text('#geometry-see'), /circle of radius √3/);
    assert.equal(await page.getAttribute('#geometry-table tr.chosen', 'aria-current'), 'step');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'geometry-next');
    await page.keyboard.press('Enter');
    assert.match(await text('#geometry-see'), /becomes an ellipse/);
    await page.focus('#geometry-yaw-range');
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.getAttribute('.space', 'data-yaw'), '-21.0');
    await page.focus('#geometry-x-1-range');
    await page.keyboard.press('ArrowLeft');
    await shows(0, 0, 2.1);
    await shows(3, 0, stepsOf('layer', [2.1, -0.4, 1.5])[3][0]);
    await page.focus('#geometry-reset');
    await page.keyboard.press('Enter');
    await shows(3, 4, Math.hypot(...stepsOf('layer', [2.1, -0.4, 1.5])[2]));
    assert.equal(
      await page.locator('.image').count(),
      0,
      'with gamma 1 and beta 0 there is no ellipse beside the circle',
    );
  });

  test('what happens is said, in one sentence', async () => {
    await start();
    await page.click('#geometry-next');
    await page.waitForFunction(() =>
      document.querySelector('#geometry-live').textContent.startsWith('Step 1'),
    );
    assert.equal(
      await text('#geometry-live'),
      'Step 1, x − mean: your point is at 1.1000, −1.5000, 0.4000, 1.9026 from the origin.',
    );
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      test(`${colorScheme}, ${width} pixels wide`, async () => {
        await start('step=3', { colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' });
        await page.click('.geometry-all summary');
        assert.deepEqual(await violations(), []);
        assert.ok(await fits());
        await page.check('input[name=geometry-method][value=rms]');
        await page.waitForSelector('.ball');
        assert.ok(await page.locator('#geometry-beta-1').isHidden(), 'RMS normalization has no beta');
        assert.deepEqual(await violations(), []);
      });
    }
  }
});
