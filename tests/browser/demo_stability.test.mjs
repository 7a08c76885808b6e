// The stability lab, as it is built, in Chromium: its numbers against float64 that is computed here, every choice in the address,
// the sweep and its cancel, and whether it can be used by keyboard and with a screen reader.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fits, number, page, url, violations, visit } from './support/demo.mjs';

/** Opens the lab and waits for its results; `address` is the state in it. */
async function openLab(address = '', options = {}) {
  await visit(`${url}#stability${address ? `?${address}` : ''}`, options);
  await page.waitForSelector('[data-formula=kernel]');
}

/** Does something that leads to other results, and waits for them. */
async function change(action) {
  await page.evaluate(() => document.querySelector('.stability-table').remove());
  await action();
  await page.waitForSelector('.stability-table');
}

/** A row of the table of results, as the page writes it. */
async function rowOf(name) {
  const cells = await page.$$eval(`[data-formula=${name}] td`, (cells) =>
    cells.map((cell) => cell.textContent),
  );
  const verdict =
    name === 'truth' ? '' : await page.textContent(`.stability-table [data-formula=${name}] .verdict`);
  const heads = await page.$$eval('.stability-table thead th', (heads) =>
    heads.map((head) => head.textContent),
  );
  const named = Object.fromEntries(cells.map((cell, i) => [heads[i + 1], cell]));
  return {
    ...named,
    ulp: number(named['Largest error, ulp']),
    verdict: verdict.slice(1),
    y: cells.slice(-4).map(number),
  };
}

/** The row of at most 64 elements and all results, from the table under the figure. */
async function elements() {
  await page.evaluate(() => {
    document.querySelector('#stability-strip-table').open = true;
  });
  await page.waitForSelector('#stability-strip-table tbody tr');
  const { heads, rows } = await page.evaluate(() => ({
    heads: [...document.querySelectorAll('#stability-strip-table thead th')].map((head) => head.textContent),
    rows: [...document.querySelectorAll('#stability-strip-table tbody tr')].map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent),
    ),
  }));
  return Object.fromEntries(heads.slice(1).map((head, i) => [head, rows.map((cells) => number(cells[i]))]));
}

/** Layer normalization in float64. */
function normalize(x, epsilon = 1e-5) {
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return { mean, variance, y: x.map((value) => (value - mean) / Math.sqrt(variance + epsilon)) };
}

/** Equal but for the digits that are shown. */
function assertNear(actual, expected, relative, what = '') {
  const isNear = Math.abs(actual - expected) <= Math.abs(expected) * relative + 1e-9;
  assert.ok(isNear, `${what} ${actual} is shown, expected ${expected}`);
}

const sweepDone = () =>
  page.waitForFunction(() => document.querySelector('#stability-cancel').textContent === 'Compute again');
const address = () => page.evaluate(() => location.hash);
const addressBecomes = (hash) => page.waitForFunction((hash) => location.hash === hash, hash);

describe('numbers', () => {
  test('what float32 keeps of a row is normalized as float64 has it', async () => {
    await openLab('n=64&offset=300&spread=0.5');
    // The input is shown with six digits, which near 300 is all but the last two of it: so means are compared, not ulp.
    const { x, Reference: truth, layernorm: kernel } = await elements();
    const { mean, variance, y } = normalize(x);
    const reference = await rowOf('truth');
    const shown = await rowOf('kernel');
    assertNear(number(reference.Mean), mean, 1e-5, 'mean');
    assertNear(number(reference.Variance), variance, 1e-2, 'variance');
    assertNear(number(shown.Mean), number(reference.Mean), 2e-7, 'mean of the kernel');
    assertNear(number(shown.Variance), number(reference.Variance), 1e-6, 'variance of the kernel');
    truth.forEach((value, i) => {
      assertNear(value, kernel[i], 1e-5, `y[${i}]`);
      assert.ok(Math.abs(value - y[i]) < 0.01, `y[${i}] is ${value}, expected ${y[i]}`);
    });
  });

  test('near 10⁴ one pass loses all digits, and the package none', async () => {
    await openLab();
    const [kernel, onePass, twoPass, welford, truth] = await Promise.all(
      ['kernel', 'onePass', 'twoPass', 'welford', 'truth'].map(rowOf),
    );
    assert.ok(kernel.ulp > 0 && kernel.ulp <= 3, `${kernel.ulp} ulp`);
    assert.match(kernel.verdict, /^right to 0\.\d+ ulp$/);
    assert.equal(onePass.verdict, 'all digits lost');
    assert.match(twoPass.verdict, /^[345] of 7 digits lost$/);
    assert.match(welford.verdict, /^[345] of 7 digits lost$/);
    assert.deepEqual(kernel.y, truth.y);
    // The errors that are shown are those of the y that are shown, as far as the first four go.
    for (const [row, factor] of [
      [onePass, 0.3],
      [twoPass, 0.3],
      [welford, 0.3],
    ]) {
      const seen = Math.max(...row.y.map((value, i) => Math.abs(value - truth.y[i]) * 2 ** 23));
      assert.ok(row.ulp >= seen * 0.45 * factor && row.ulp < 1e8, `${row.ulp} ulp, seen ${seen}`);
    }
    const [meanOfSquares, squareOfMean, variance, exact] = await page.$$eval(
      '#stability-cancellation dd',
      (cells) => cells.map((cell) => cell.textContent),
    );
    assert.equal(number(meanOfSquares) % 8, 0, 'a float32 near 10⁸');
    assert.equal(number(meanOfSquares) - number(squareOfMean), number(variance));
    assert.equal(variance, onePass.Variance);
    assertNear(number(exact), number(truth.Variance), 1e-6);
    assert.match(
      await page.textContent('#stability-engine'),
      /^layernorm \d.*: layerNorm\(x, \{ epsilon: 1e-5 \}\)/,
    );
  });

  test('every preset: the kernel is right, and what is said of others is shown', async () => {
    await openLab('offset=0');
    const expected = {
      ordinary: { onePass: /^right to/, welford: /^right to/ },
      activations: { onePass: /^all digits lost/ },
      kelvin: { onePass: /^all digits lost/ },
      'pytorch-2021': { onePass: /lost$/ },
      mlx: { onePass: /^the variance is 0: all digits lost/ },
      long: { onePass: /^all digits lost/, twoPass: /of 7 digits lost/, welford: /of 7 digits lost/ },
      constant: { onePass: /^the variance is negative: NaN$/, twoPass: /^exact$/ },
      overflow: { onePass: /NaN$/, welford: /^the squares overflow: all digits lost$/ },
      float16: { sixteenBit: /^the sum overflows: NaN$/, twoPass: /^right to 0\.\d+ ulp$/ },
      bfloat16: { sixteenBit: /^all digits lost$/ },
      denormals: { twoPass: /^the variance is 0: NaN or ∞$/ },
      one: { onePass: /^exact$/, kernel: /^exact$/ },
      infinity: { onePass: /^NaN, as it must be$/, kernel: /^NaN, as it must be$/ },
    };
    const names = await page.$$eval('[data-preset]', (buttons) =>
      buttons.map((button) => button.dataset.preset),
    );
    assert.deepEqual(names, Object.keys(expected));
    for (const name of names) {
      await change(() => page.click(`[data-preset=${name}]`));
      assert.equal(await page.getAttribute(`[data-preset=${name}]`, 'aria-pressed'), 'true');
      assert.equal(await page.locator('[data-preset][aria-pressed=true]').count(), 1);
      const kernel = await rowOf('kernel');
      assert.ok(kernel.ulp <= 3, `${name}: ${kernel.ulp} ulp`);
      for (const [formula, verdict] of Object.entries(expected[name])) {
        assert.match((await rowOf(formula)).verdict, verdict, `${name}, ${formula}`);
      }
    }
  });

  test('an outlier: the truth is known without any sum', async () => {
    await openLab('offset=0&outlier=1e30');
    // One element of n is so large that the others are zeros beside it: y is sqrt(n - 1), and -1 / sqrt(n - 1).
    const { y } = await rowOf('kernel');
    assertNear(y[3], Math.sqrt(255), 1e-6);
    assertNear(y[0], -1 / Math.sqrt(255), 1e-6);
    assert.deepEqual((await rowOf('welford')).y, [0, 0, 0, 0]);
    assert.equal((await rowOf('kernel')).Variance, '∞', 'beyond float32');
  });

  test('float16, through the dtype or a Float16Array', async () => {
    await openLab('type=float16&offset=1000&n=64');
    const { x, layernorm: y } = await elements();
    assert.ok(
      x.every((value) => Number.isInteger(value * 2)),
      'float16 numbers near 1000 are 0.5 apart',
    );
    const exact = normalize(x).y;
    y.forEach((value, i) => {
      // A float16 has 11 bits, and was shown with six digits.
      const step = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(exact[i]), 2 ** -14))) - 10);
      assert.ok(Math.abs(value - exact[i]) <= 0.51 * step + 1e-5, `y[${i}]`);
    });
    assert.match(await page.textContent('#stability-row'), /64 numbers of float16.*0\.5 apart/);
    assert.ok((await rowOf('kernel')).ulp <= 0.501);
    assert.equal((await rowOf('sixteenBit')).verdict, 'all digits lost');
    const own = await page.evaluate(() => 'Float16Array' in globalThis);
    const call = own ? /layerNorm\(x, \{ epsilon/ : /layerNorm\(x, \{ dtype: 'float16', epsilon/;
    assert.match(await page.textContent('#stability-engine'), call);
  });

  test('bfloat16 without a Float16Array, and RMS', async () => {
    await openLab('type=bfloat16&offset=0&n=64&method=rms');
    const { x, layernorm: y } = await elements();
    const rms = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / 64 + 1e-5);
    y.forEach((value, i) => {
      assertNear(value, x[i] / rms, 2 ** -8 * 1.02, `y[${i}]`);
    });
    assert.match(
      await page.textContent('#stability-engine'),
      /rmsNorm\(x, \{ dtype: 'bfloat16', epsilon: 1e-5 \}\)\.$/,
    );
    const square = await rowOf('plainRms');
    assertNear(number(square['Mean square']), rms ** 2 - 1e-5, 1e-4);
    assert.equal(await page.isVisible('#stability-clamps'), false);
  });

  test('infinities and NaN', async () => {
    await openLab('special=nan');
    assert.equal((await rowOf('kernel'))['NaN or ∞'], '256');
    await change(() => page.check('input[name=stability-method][value=rms]', { force: true }));
    assert.equal((await rowOf('kernel'))['NaN or ∞'], '256');
    await change(() => page.check('input[name=stability-special][value="-inf"]', { force: true }));
    const kernel = await rowOf('kernel');
    assert.equal(kernel['NaN or ∞'], '1', 'infinity divided by infinity');
    assert.deepEqual(kernel.y, [0, 0, 0, 0]);
  });

  test('length 1', async () => {
    await openLab('n=1');
    const { 'y[0]': y, Mean: mean, verdict } = await rowOf('kernel');
    assert.equal(y, '0');
    assert.equal(verdict, 'exact');
    const { x } = await elements();
    assertNear(number(mean), x[0], 1e-5);
    assert.equal(x.length, 1);
  });
});

describe('the chart', () => {
  test('goes through all constants, and agrees with the single row', async () => {
    await openLab();
    await sweepDone();
    assert.equal(await page.textContent('#stability-progress'), '40 of 40 constants');
    await page.click('#stability-chart-table summary');
    await page.waitForSelector('#stability-chart-table tbody tr');
    const rows = await page.$$eval('#stability-chart-table tbody tr', (rows) =>
      rows.map((row) => [...row.children].map((cell) => cell.textContent)),
    );
    assert.equal(rows.length, 40);
    const here = rows.find(([constant]) => constant === '10⁴');
    assert.equal(here[2], (await rowOf('kernel'))['Largest error, ulp']);
    assert.equal(here[3], (await rowOf('onePass'))['Largest error, ulp']);
    for (const row of rows) assert.ok(number(row[2]) <= 3, `${row[0]}: ${row[2]} ulp`);
    assert.ok(number(rows[3][3]) < number(rows[5][3]), 'one pass grows worse');
    assert.equal(rows.at(-1)[1], '1', 'rounding has made the row constant');
    // 40 marks for each of four formulas.
    assert.equal(await page.locator('.chart-place .plot-marks > .mark').count(), 160);
  });

  test('a click chooses a constant, and computes no other sweep', async () => {
    await openLab();
    await sweepDone();
    await page.evaluate(() => {
      window.restarted = false;
      new MutationObserver(() => {
        if (document.querySelector('#stability-cancel').textContent === 'Cancel') window.restarted = true;
      }).observe(document.querySelector('#stability-cancel'), {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    const box = await page.locator('.chart-place svg').boundingBox();
    await change(() => page.click('.chart-place svg', { position: { x: box.width - 14, y: 150 } }));
    await addressBecomes('#stability?offset=1e38');
    assert.equal(await page.inputValue('#stability-offset'), '1e38');
    await page.waitForFunction(() => document.querySelector('.here text').textContent === '10³⁸');
    assert.equal(await page.evaluate(() => window.restarted), false);
  });

  test('can be cancelled and started again', async () => {
    await openLab('n=65536&type=bfloat16');
    await page.waitForFunction(() =>
      /^[3-9] of 40/.test(document.querySelector('#stability-progress').textContent),
    );
    await page.click('#stability-cancel');
    const said = await page.textContent('#stability-progress');
    const [, count] = /^Cancelled after (\d+) of 40 constants\.$/.exec(said) ?? assert.fail(said);
    assert.ok(Number(count) < 40);
    assert.equal(await page.textContent('#stability-cancel'), 'Compute again');
    // The worker is free at once: another row is computed, and brings no more points of the old sweep.
    await change(() => page.fill('#stability-offset', '1'));
    assert.equal(await page.textContent('#stability-progress'), said);
    await page.waitForFunction(() =>
      document.querySelector('#stability-announcer').textContent.startsWith('layernorm:'),
    );
    await page.focus('#stability-cancel');
    await page.keyboard.press('Enter');
    assert.equal(await page.textContent('#stability-cancel'), 'Cancel');
    await page.waitForFunction(() =>
      /^[1-9]\d? of 40/.test(document.querySelector('#stability-progress').textContent),
    );
    // Other settings take the place of a sweep that runs.
    await page.click('[data-preset=float16]');
    await page.waitForFunction(
      () => document.querySelector('#stability-progress').textContent === '21 of 21 constants',
    );
    await sweepDone();
  });
});

describe('the address', () => {
  test('holds every choice, and a link to it restores the same numbers', async () => {
    await openLab();
    await page.check('input[name=stability-type][value=float64]', { force: true });
    await page.fill('#stability-offset', '12345678');
    await page.fill('#stability-spread', '0.25');
    await page.fill('#stability-outlier', '1e6');
    await page.fill('#stability-epsilon', '1e-9');
    await page.check('#stability-clamps');
    await page.click('#stability-draw');
    await page.focus('#stability-length');
    await change(() => page.keyboard.press('ArrowLeft'));
    const written =
      '#stability?type=float64&n=128&seed=2&offset=12345678&spread=0.25&outlier=1000000&epsilon=1e-9&clamp=yes';
    await page.waitForFunction(() => location.hash.includes('n=128'));
    const sorted = (hash) => hash.split(/[?&]/).sort();
    assert.deepEqual(sorted(await address()), sorted(written));
    const [kernel, onePass] = [await rowOf('kernel'), await rowOf('onePass')];
    await page.close();
    await openLab(written.split('?')[1]);
    assert.deepEqual(await rowOf('kernel'), kernel);
    assert.deepEqual(await rowOf('onePass'), onePass);
    assert.equal(await page.inputValue('#stability-outlier'), '1000000');
    assert.equal(await page.inputValue('#stability-offset-range'), '7');
    assert.equal(await page.isChecked('#stability-clamps'), true);
    assert.equal(await page.textContent('#stability-length-text'), '128');
  });

  test('with nonsense is as without', async () => {
    await openLab('n=77&type=int4&offset=-3&epsilon=x&special=maybe');
    assert.equal(await page.getAttribute('[data-preset=activations]', 'aria-pressed'), 'true');
  });

  test('changed by hand changes the lab', async () => {
    await openLab();
    await change(() =>
      page.evaluate(() => {
        location.hash = '#stability?offset=0&special=inf';
      }),
    );
    assert.equal(await page.getAttribute('[data-preset=infinity]', 'aria-pressed'), 'true');
    assert.equal((await rowOf('kernel')).verdict, 'NaN, as it must be');
  });
});

describe('for everybody', () => {
  test('by keyboard alone, and by ear', async () => {
    await openLab('offset=0');
    await page.focus('[data-preset=kelvin]');
    await change(() => page.keyboard.press('Enter'));
    await page.waitForFunction(() =>
      document
        .querySelector('#stability-announcer')
        .textContent.includes('One pass, float32: all digits lost'),
    );
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.preset), 'pytorch-2021');
    await page.focus('#stability-offset-range');
    await change(() => page.keyboard.press('ArrowRight'));
    assert.equal(await page.inputValue('#stability-offset'), '1000');
    assert.equal(await page.getAttribute('#stability-offset-range', 'aria-valuetext'), '10³');
    await change(() => page.keyboard.press('Home'));
    assert.equal(await page.inputValue('#stability-offset'), '0');
    assert.equal(await page.getAttribute('#stability-offset-range', 'aria-valuetext'), 'none');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'stability-offset');
    await page.focus('input[name=stability-type]:checked');
    await change(() => page.keyboard.press('ArrowRight'));
    assert.match((await page.textContent('#stability-row')).trim(), /^256 numbers of float16/);
    // Tables and details are reached as well.
    await page.focus('#stability-strip-table summary');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#stability-strip-table tbody tr');
    assert.equal(await page.locator('#stability-strip-table tbody tr').count(), 64);
  });

  test('a number that cannot be is said at its box, and changes nothing', async () => {
    await openLab();
    const before = await rowOf('onePass');
    for (const bad of ['-1', '']) {
      await page.fill('#stability-epsilon', bad);
      assert.equal(await page.getAttribute('#stability-epsilon', 'aria-invalid'), 'true');
      assert.match(await page.textContent('#stability-epsilon-error'), /^Enter a number from 0 to 1e10/);
    }
    assert.deepEqual(await rowOf('onePass'), before);
    await change(() => page.fill('#stability-epsilon', '1'));
    assert.equal(await page.getAttribute('#stability-epsilon', 'aria-invalid'), null);
    assert.equal(await page.isHidden('#stability-epsilon-error'), true);
  });

  test('Explore waits until it is asked for, and the lab keeps its row meanwhile', async () => {
    await openLab('offset=7');
    assert.equal(await page.isVisible('#view-explore'), false);
    await page.click('#nav a[href="#explore"]');
    await page.waitForFunction(() =>
      document.querySelector('#engine-check')?.textContent?.includes('float64'),
    );
    assert.equal(await page.isVisible('#view-stability'), false);
    await page.click('#nav a[href="#stability"]');
    await addressBecomes('#stability?offset=7');
    assert.equal(await page.inputValue('#stability-offset'), '7');
    await page.focus('#skip');
    await page.keyboard.press('Enter');
    assert.match(await page.evaluate(() => document.activeElement.className), /skip-target/);
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      test(`${colorScheme}, ${width} pixels wide`, async () => {
        await openLab('', { colorScheme, viewport: { width, height: 900 } });
        await sweepDone();
        assert.deepEqual(await violations(), [], 'at first');
        assert.ok(await fits());
        for (const details of await page.$$('#view-stability details')) {
          await details.evaluate((element) => {
            element.open = true;
          });
        }
        await page.waitForSelector('#stability-chart-table tbody tr');
        await page.fill('#stability-epsilon', '-1');
        await change(() => page.check('input[name=stability-type][value=float16]', { force: true }));
        await sweepDone();
        assert.deepEqual(await violations(), [], 'all open, float16, an error');
        assert.ok(await fits());
        const small = await page.$$eval('#view-stability :is(button, input, summary)', (controls) =>
          controls
            .map((control) => control.closest('label') ?? control)
            .filter((target) => target.checkVisibility())
            .map((target) => [target.outerHTML.slice(0, 80), target.getBoundingClientRect()])
            .filter(([, { width, height }]) => Math.min(width, height) < 24)
            .map(([html]) => html),
        );
        assert.deepEqual(small, [], 'targets');
      });
    }
  }
});
