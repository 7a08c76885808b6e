// Training, as it is built, in Chromium: what is learned against the same steps in float64, the run that plays, the gradient of one
// sample, the address, and whether it can be used by keyboard and with a screen reader.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createServer } from 'vite';
import { fits, number, page, text, url, VITE, violations, visit } from './support/demo.mjs';

/** Opens the view, and waits until it shows the run and the gradient. */
async function open(state = '', options = {}) {
  await visit(`${url}#training${state ? `?${state}` : ''}`, options);
  await ready();
}

async function ready() {
  await page.waitForFunction(
    () =>
      document.querySelector('#training-engine')?.textContent?.startsWith('layernorm') &&
      document.querySelector('#gradient-table tbody tr'),
  );
}

const steps = async () => number(await text('#training-count'));
const stepsAre = (count) =>
  page.waitForFunction(
    (expected) => document.querySelector('#training-count').textContent === expected,
    count.toLocaleString('en'),
  );

/** Presses a button until so many steps have been made. */
async function make(count) {
  const start = await steps();
  for (let made = 100; made <= count; made += 100) {
    await page.click('#training-steps');
    await stepsAre(start + made);
  }
}

/** A table under its summary: the cells of its rows, without the first. */
async function table(id) {
  const details = page.locator('details', { has: page.locator(`#${id}`) });
  if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
  await page.waitForSelector(`#${id} tbody tr`);
  return page.$$eval(`#${id} tbody tr`, (rows) =>
    rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)),
  );
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const near = (actual, expected, tolerance, what = '') =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is shown, expected ${expected}`);

/** Layer or RMS normalization of one sample and the gradient of it, in float64. */
function normalize(x, { epsilon = 1e-3, rms = false } = {}) {
  const average = rms ? 0 : mean(x);
  const rstd = 1 / Math.sqrt(mean(x.map((value) => (value - average) ** 2)) + epsilon);
  return { hat: x.map((value) => (value - average) * rstd), rstd };
}
function gradient(x, dy, gamma, options = {}) {
  const { hat, rstd } = normalize(x, options);
  const g = dy.map((d, i) => d * gamma[i]);
  const ones = options.rms ? 0 : mean(g);
  const along = mean(g.map((value, i) => value * hat[i]));
  const left = g.map((value, i) => value - ones - hat[i] * along);
  return {
    hat,
    rstd,
    g,
    left,
    dx: left.map((value) => rstd * value),
    ones,
    along: hat.map((h) => h * along),
  };
}

/** Opens the page's own data: what is done with them is done anew here. */
let data;
let Random;
let server;
before(async () => {
  server = await createServer({ ...VITE, server: { middlewareMode: true, hmr: false }, appType: 'custom' });
  data = await server.ssrLoadModule('/src/training/data.ts');
  ({ Random } = await server.ssrLoadModule('/src/training/random.ts'));
});
after(() => server.close());

/** The first task in float64: the loss of each step, the weights after the last and the gradients of the last. */
function simulate(count, { seed = 1, rate = 0.1, batch = 32, center = true, scale = true } = {}) {
  const { gamma: hiddenGamma, beta: hiddenBeta, x, noise } = data.makeRegression(seed);
  const D = data.FEATURES;
  const random = new Random(seed + 1);
  const [gamma, beta] = [new Array(D).fill(1), new Array(D).fill(0)];
  let [dgamma, dbeta] = [[], []];
  const losses = [];
  for (let step = 0; step < count; step++) {
    [dgamma, dbeta] = [new Array(D).fill(0), new Array(D).fill(0)];
    let loss = 0;
    for (let row = 0; row < batch; row++) {
      const from = random.below(data.REGRESSION_SAMPLES) * D;
      const { hat } = normalize([...x.subarray(from, from + D)]);
      for (let i = 0; i < D; i++) {
        const target = hiddenGamma[i] * hat[i] + hiddenBeta[i] + noise[from + i];
        const error = gamma[i] * hat[i] + beta[i] - target;
        loss += error ** 2 / (batch * D);
        dgamma[i] += (2 * error * hat[i]) / (batch * D);
        dbeta[i] += (2 * error) / (batch * D);
      }
    }
    losses.push(loss);
    for (let i = 0; i < D; i++) {
      if (scale) gamma[i] -= rate * dgamma[i];
      if (center) beta[i] -= rate * dbeta[i];
    }
  }
  return { losses, gamma, beta, dgamma, dbeta, hiddenGamma, hiddenBeta };
}

/** A number that is shown with so many digits. */
const shown = (cell, expected, digits, what) =>
  near(number(cell), expected, 1e-5 + Math.abs(expected) * 1.5 * 10 ** (1 - digits), what);

describe('gamma and beta learn', () => {
  test('to the numbers that the same steps give in float64', async () => {
    await open();
    assert.equal(await steps(), 0);
    await make(100);
    const expected = simulate(100);
    shown(await text('#training-last'), expected.losses.at(-1), 4, 'loss');
    const length = Math.hypot(...expected.dgamma, ...expected.dbeta);
    shown(await text('#training-gradient'), length, 3, 'gradient');
    const rows = await table('training-weights');
    assert.equal(rows.length, 8);
    rows.forEach(([gamma, hiddenGamma, dgamma, beta, hiddenBeta, dbeta], i) => {
      shown(gamma, expected.gamma[i], 4, `gamma ${i}`);
      shown(hiddenGamma, expected.hiddenGamma[i], 4, `hidden gamma ${i}`);
      shown(dgamma, expected.dgamma[i], 3, `dgamma ${i}`);
      shown(beta, expected.beta[i], 4, `beta ${i}`);
      shown(hiddenBeta, expected.hiddenBeta[i], 4, `hidden beta ${i}`);
      shown(dbeta, expected.dbeta[i], 3, `dbeta ${i}`);
    });
    const losses = await table('training-losses');
    shown(losses[0][0], expected.losses[0], 4, 'first loss');
    shown(losses.at(-1)[0], expected.losses.at(-1), 4, 'last loss');
    // As many dots as weights, each of them inside its ring by now or close to it.
    assert.equal(await page.locator('.training .now').count(), 16);
    assert.match(await text('#training-engine + .detail'), /^(simd|relaxed|scalar|base)\S*, \d+ threads?$/i);
  });

  test('with other settings, one step at a time', async () => {
    await open();
    await page.fill('#training-rate', '0.5');
    await page.fill('#training-batch', '7');
    await page.fill('#training-seed', '42');
    await page.waitForFunction(() => location.hash.includes('seed=42'));
    const hidden = data.makeRegression(42).gamma[0];
    await page.waitForFunction(
      (start) =>
        document.querySelector('#training-weights tbody td:nth-of-type(2)')?.textContent.startsWith(start),
      String(hidden).slice(0, 4),
      // The table is filled when it is open.
      await page.click('#training-weights-details summary'),
    );
    for (let i = 1; i <= 3; i++) {
      await page.click('#training-step');
      await stepsAre(i);
    }
    const expected = simulate(3, { seed: 42, rate: 0.5, batch: 7 });
    shown(await text('#training-last'), expected.losses[2], 4, 'loss');
    const rows = await table('training-weights');
    rows.forEach(([gamma, , , beta], i) => {
      shown(gamma, expected.gamma[i], 4, `gamma ${i}`);
      shown(beta, expected.beta[i], 4, `beta ${i}`);
    });
  });

  test('beta alone, of a layer without gamma', async () => {
    await open();
    await page.uncheck('#training-scale');
    await page.waitForSelector('.weights-charts >> text=scale: false');
    await make(300);
    const expected = simulate(300, { scale: false });
    shown(await text('#training-last'), expected.losses.at(-1), 4, 'loss');
    const rows = await table('training-weights');
    rows.forEach(([gamma, , dgamma, beta], i) => {
      assert.deepEqual([gamma, dgamma], ['–', '–']);
      shown(beta, expected.beta[i], 4, `beta ${i}`);
    });
    await page.uncheck('#training-center');
    await page.waitForSelector('.weights-charts >> text=center: false');
    await make(100);
    assert.equal(await text('#training-gradient'), '0');
  });

  test('a learning rate that is too large is told as such', async () => {
    await open('rate=10');
    assert.equal(await page.isVisible('#training-note'), false);
    await make(500);
    await page.waitForSelector('#training-note:visible');
    assert.match(await text('#training-note'), /left the range of float32/);
    // What is no number does not break the charts.
    assert.equal(await page.locator('.training svg [cx="NaN"], .training svg [cy="NaN"]').count(), 0);
  });

  test('a number that cannot be changes nothing', async () => {
    await open();
    for (const [id, bad] of [
      ['training-rate', '-1'],
      ['training-batch', '1000'],
      ['training-seed', '1.5'],
      ['gradient-dy-1', '99'],
    ]) {
      await page.fill(`#${id}`, bad);
      assert.equal(await page.getAttribute(`#${id}`, 'aria-invalid'), 'true', id);
    }
    await page.click('#training-step');
    await stepsAre(1);
    shown(await text('#training-last'), simulate(1).losses[0], 4, 'loss');
    assert.equal(new URL(page.url()).hash, '#training');
  });
});

describe('a run', () => {
  test('plays, pauses, goes on and begins anew', async () => {
    await open('speed=most');
    await page.click('#training-play');
    assert.equal(await text('#training-play'), 'Pause');
    await page.waitForFunction(
      () => Number(document.querySelector('#training-count').textContent.replace(',', '')) > 200,
    );
    assert.match(await text('#training-count + .detail'), /^up to [\d,]+ a second$/);
    await page.click('#training-play');
    assert.equal(await text('#training-play'), 'Play');
    // The announcement comes when the worker has stopped.
    await page.waitForFunction(() =>
      /^Step /.test(document.querySelector('#training-announcer').textContent),
    );
    const stopped = await steps();
    await page.click('#training-step');
    await stepsAre(stopped + 1);
    await page.click('#training-play');
    await page.waitForFunction(
      (at) => Number(document.querySelector('#training-count').textContent.replace(',', '')) > at,
      stopped + 50,
    );
    await page.click('#training-reset');
    await stepsAre(0);
    assert.equal(await text('#training-play'), 'Play');
    await make(100);
    shown(await text('#training-last'), simulate(100).losses.at(-1), 4, 'loss after the reset');
  });

  test('keeps to the speed that is chosen, and takes up another one', async () => {
    await open('speed=3');
    assert.equal(await text('#training-speed-text'), '3 steps a second');
    const start = Date.now();
    await page.click('#training-play');
    await page.waitForFunction(() => Number(document.querySelector('#training-count').textContent) >= 4);
    assert.ok(Date.now() - start > 600, 'four steps take about a second');
    assert.ok((await steps()) < 40, 'it has not run ahead');
    await page.focus('#training-speed');
    await page.keyboard.press('End');
    assert.equal(await text('#training-speed-text'), 'as fast as it goes');
    await page.waitForFunction(
      () => Number(document.querySelector('#training-count').textContent.replace(',', '')) > 300,
    );
    await page.click('#training-play');
  });

  test('of settings that change while it plays goes on with those', async () => {
    await open('speed=most');
    await page.click('#training-play');
    await page.waitForFunction(
      () => Number(document.querySelector('#training-count').textContent.replace(',', '')) > 100,
    );
    await page.check('input[value=rings]');
    await page.waitForFunction(() => /% right/.test(document.querySelector('#training-fit-0').textContent));
    assert.equal(await text('#training-play'), 'Pause');
    await page.waitForFunction(() =>
      /^(9\d|100)/.test(document.querySelector('#training-fit-0').textContent),
    );
    await page.click('#training-play');
  });

  test('pauses while another view is seen', async () => {
    await open('speed=most');
    await page.click('#training-play');
    await page.waitForFunction(
      () => Number(document.querySelector('#training-count').textContent.replace(',', '')) > 50,
    );
    await page.click('#nav >> text=Explore');
    await page.waitForFunction(() => document.querySelector('#view-training').hidden);
    await page.click('#nav >> text=Training');
    await page.waitForSelector('#training-play:visible');
    assert.equal(await text('#training-play'), 'Play');
    await page.waitForFunction(() =>
      /^Step /.test(document.querySelector('#training-announcer').textContent),
    );
    const stopped = await steps();
    await page.click('#training-step');
    await stepsAre(stopped + 1);
  });

  test('does not begin by itself, and is drawn seldom for those who want little to move', async () => {
    await open('speed=most', { reducedMotion: 'reduce' });
    await page.evaluate(async () => {
      for (let i = 0; i < 30; i++) await new Promise(requestAnimationFrame);
    });
    await page.click('#training-step');
    await stepsAre(1);
    await page.evaluate(() => {
      window.drawn = 0;
      new MutationObserver(() => window.drawn++).observe(document.querySelector('.loss-plot'), {
        childList: true,
      });
    });
    const start = Date.now();
    await page.click('#training-play');
    await page.waitForFunction(() => window.drawn >= 2);
    assert.ok(Date.now() - start > 1500, 'two pictures take about two seconds');
    await page.click('#training-play');
  });
});

describe('two nets', () => {
  const right = async (net) => number((await text(`#training-fit-${net}`)).match(/^[\d.]+/)[0]);

  test('at a small scale the one with layer norm learns, the other one does not', async () => {
    await open('task=rings');
    assert.ok(await page.isVisible('#training-input'));
    await make(400);
    assert.ok((await right(0)) > 98, `${await right(0)} % with layer norm`);
    assert.ok((await right(1)) < 70, `${await right(1)} % without`);
    assert.match(await text('#training-last + .detail'), /^with layer norm, 0\.69\d? without$/);
    const rows = await table('training-weights');
    assert.equal(rows.length, 32, 'gamma and beta of two layers');
    assert.ok(
      rows.some(([gamma]) => Math.abs(number(gamma) - 1) > 0.01),
      'they have moved',
    );
    const maps = await page.$$eval('canvas.map', (canvases) => canvases.map((canvas) => canvas.toDataURL()));
    assert.equal(maps.length, 2);
    assert.notEqual(maps[0], maps[1]);
  });

  test('the scale of the inputs changes next to nothing with layer norm', async () => {
    await open('task=rings&input=1');
    await make(100);
    const [first, plain] = [number(await text('#training-last')), await text('#training-last + .detail')];
    await page.fill('#training-input', '4');
    await stepsAre(0);
    await make(100);
    near(number(await text('#training-last')), first, 0.01 * first, 'loss with layer norm');
    assert.notEqual(await text('#training-last + .detail'), plain);
  });

  test('learn without gamma', async () => {
    await open('task=rings&scale=0');
    await make(400);
    assert.ok((await right(0)) > 98, `${await right(0)} % with layer norm`);
  });
});

describe('what layer norm takes out of a gradient', () => {
  const x = [0.5, 2, -1, 1.5, 3, -0.5];
  const dy = [1, 0.5, -1, 2, 0.3, -0.8];
  const ones = [1, 1, 1, 1, 1, 1];

  /** Compares the whole table, the parts in words and the numbers below with float64. */
  async function check(x, dy, gamma, options = {}) {
    await page.waitForFunction(
      ([x, dy, gamma]) => {
        const rows = [...document.querySelectorAll('#gradient-table tbody tr')];
        const column = (i) => rows.map((row) => Number(row.cells[i].textContent.replace('−', '-')));
        return [x, dy, gamma].every((values, i) =>
          values.every((value, at) => Math.abs(column([1, 3, 4][i])[at] - value) < 1e-3),
        );
      },
      [x, dy, gamma],
    );
    const expected = gradient(x, dy, gamma, options);
    (await table('gradient-table')).forEach((cells, i) => {
      const columns = [
        x[i],
        expected.hat[i],
        dy[i],
        gamma[i],
        expected.g[i],
        expected.ones,
        expected.along[i],
        expected.left[i],
        expected.dx[i],
        expected.dx[i],
      ];
      columns.forEach((value, c) => {
        near(number(cells[c]), value, 3e-6 + 6e-5 * Math.abs(value), `row ${i}, column ${c}`);
      });
    });
    const share = async (part) => number((await text(`#gradient-share-${part}`)).match(/^[\d.]+/)[0]);
    const whole = dot(expected.g, expected.g);
    near(await share('alongOnes'), (600 * expected.ones ** 2) / whole, 0.51, 'share along ones');
    near(
      await share('alongHat'),
      (100 * dot(expected.along, expected.along)) / whole,
      0.51,
      'share along x hat',
    );
    near(await share('left'), (100 * dot(expected.left, expected.left)) / whole, 0.51, 'share left');
    near(
      number(await text('#gradient-dot-ones')),
      dot(expected.dx, ones),
      1e-6 + 0.06 * Math.abs(dot(expected.dx, ones)),
      'dx·1',
    );
    const hat = dot(expected.dx, expected.hat);
    near(number(await text('#gradient-dot-hat')), hat, 1e-6 + 0.06 * Math.abs(hat), 'dx·x̂');
    near(number(await text('#gradient-rstd')), expected.rstd, 1e-4 * expected.rstd, 'rstd');
    assert.ok(
      number(await text('#gradient-error')) < 2e-6 * Math.max(1, expected.rstd),
      await text('#gradient-error'),
    );
    return expected;
  }

  beforeEach(() => open());

  test('is shown part by part, with numbers of the package that float64 confirms', async () => {
    const { dx } = await check(x, dy, ones);
    assert.ok(Math.abs(dot(dx, ones)) < 1e-12);
    assert.equal(await page.locator('.part-plot rect').count(), 24);
    await page.check('input[value=rms]');
    await page.waitForSelector('#gradient-summary >> text=RMS norm');
    await check(x, dy, ones, { rms: true });
    assert.match(await text('.gradients figcaption'), /^dx = rstd · \(g − x̂ · mean/);
    await page.click('.more summary');
    await page.fill('#gradient-gamma-2', '-2');
    await page.fill('#gradient-epsilon', '0.5');
    await page.waitForFunction(() => /^0\.[4-6]/.test(document.querySelector('#gradient-rstd').textContent));
    await check(x, dy, [1, -2, 1, 1, 1, 1], { rms: true, epsilon: 0.5 });
  });

  test('is all of it, where dy is the same everywhere or is x hat', async () => {
    await page.click('#gradient-ones');
    await check(x, ones, ones);
    assert.ok(Math.abs(number(await text('#gradient-dot-ones'))) < 1e-6);
    assert.match(await text('#gradient-share-alongOnes'), /^100 %/);
    for (const cells of await table('gradient-table'))
      assert.ok(Math.abs(number(cells[8])) < 1e-6, 'dx is 0');
    await page.click('#gradient-hat');
    // The page rounds what it puts into the boxes.
    const hat = normalize(x).hat.map((value) => Number(value.toPrecision(6)));
    await check(x, hat, ones);
    assert.match(await text('#gradient-share-alongHat'), /^(99\.\d|100) %/);
    for (const cells of await table('gradient-table'))
      assert.ok(Math.abs(number(cells[8])) < 2e-3, 'dx is about 0');
  });

  test('follows the sliders, a drag of a bar, and the buttons', async () => {
    await page.fill('#gradient-x-1', '4.5');
    await page.focus('#gradient-dy-3-range');
    await page.keyboard.press('ArrowRight');
    await check([4.5, ...x.slice(1)], [1, 0.5, -0.9, ...dy.slice(3)], ones);
    assert.equal(await page.inputValue('#gradient-dy-3'), '-0.9');
    // From the bar of element 6 up to the top.
    const plot = page.locator('.part-plot.can-drag svg');
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.boundingBox();
    const [at, zero] = [box.x + box.width - 14, box.y + 88];
    await page.mouse.move(at, zero);
    await page.mouse.down();
    await page.mouse.move(at, zero - 40);
    await page.mouse.up();
    await page.waitForFunction(() => Number(document.querySelector('#gradient-dy-6').value) > 0.5);
    await page.click('#gradient-single');
    await check([4.5, ...x.slice(1)], [0, 0, 0, 1, 0, 0], ones);
    await page.click('#gradient-first');
    await check(x, dy, ones);
    await page.click('#gradient-random');
    await page.waitForFunction(() => location.hash.includes('dy='));
    await ready();
  });

  test('says what happens, to those who listen', async () => {
    await page.click('#gradient-ones');
    await page.waitForFunction(() =>
      /takes out 100 %.*along \(1, …, 1\)/.test(document.querySelector('#gradient-announcer').textContent),
    );
  });
});

describe('the address', () => {
  test('restores every choice, and gives the same run', async () => {
    await open();
    await page.check('input[value=spirals]');
    await page.fill('#training-rate', '0.3');
    await page.fill('#training-batch', '16');
    await page.fill('#training-input', '0.5');
    await page.fill('#training-seed', '7');
    await page.uncheck('#training-center');
    await page.focus('#training-speed');
    await page.keyboard.press('End');
    await page.check('input[value=rms]');
    await page.fill('#gradient-x-2', '-2.5');
    await page.fill('#gradient-dy-5', '1.25');
    await page.waitForFunction(() => location.hash.includes('1.25'));
    const address = page.url();
    const { hash } = new URL(address);
    assert.ok(hash.startsWith('#training?'), hash);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(hash.split('?')[1])), {
      task: 'spirals',
      rate: '0.3',
      batch: '16',
      input: '0.5',
      seed: '7',
      center: '0',
      speed: 'most',
      norm: 'rms',
      x: '0.5,-2.5,-1,1.5,3,-0.5',
      dy: '1,0.5,-1,2,1.25,-0.8',
    });
    await page.waitForFunction(() =>
      /^A new run/.test(document.querySelector('#training-announcer').textContent),
    );
    await make(100);
    const [loss, summary] = [await text('#training-last'), await text('#gradient-summary')];
    await page.close();
    await visit(address);
    await ready();
    assert.equal(await page.isChecked('input[value=spirals]'), true);
    assert.equal(await page.inputValue('#training-rate'), '0.3');
    assert.equal(await page.inputValue('#training-batch'), '16');
    assert.equal(await page.inputValue('#training-input'), '0.5');
    assert.equal(await page.inputValue('#training-seed'), '7');
    assert.deepEqual(
      [await page.isChecked('#training-center'), await page.isChecked('#training-scale')],
      [false, true],
    );
    assert.equal(await text('#training-speed-text'), 'as fast as it goes');
    assert.equal(await page.inputValue('#gradient-x-2'), '-2.5');
    assert.equal(await page.inputValue('#gradient-dy-5'), '1.25');
    await make(100);
    assert.equal(await text('#training-last'), loss);
    assert.equal(await text('#gradient-summary'), summary);
  });

  test('with nonsense in it is that of the defaults', async () => {
    await open(
      'task=chess&rate=-1&batch=x&seed=&input=99&speed=warp&norm=batch&x=1,2&dy=a,b,c,d,e,f&epsilon=-1',
    );
    assert.equal(await page.isChecked('input[value=recover]'), true);
    await make(100);
    shown(await text('#training-last'), simulate(100).losses.at(-1), 4, 'loss');
    assert.equal(await page.inputValue('#gradient-x-1'), '0.5');
  });
});

describe('without a mouse, in every light and on a phone', () => {
  test('everything is done by keyboard', async () => {
    await open();
    await page.focus('input[value=recover]');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.map:visible');
    await page.keyboard.press('ArrowLeft');
    await page.waitForSelector('.weights-charts:visible');
    await page.focus('#training-rate-range');
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.inputValue('#training-rate'), '0.18');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.inputValue('#training-rate'), '0.1');
    // From the last control on to the buttons.
    await page.focus('#training-reseed');
    const seen = [];
    for (let i = 0; i < 4; i++) {
      await page.keyboard.press('Tab');
      seen.push(await page.evaluate(() => document.activeElement.id));
    }
    assert.deepEqual(seen, ['training-play', 'training-step', 'training-steps', 'training-reset']);
    await stepsAre(0);
    await page.waitForFunction(() =>
      /^A new run/.test(document.querySelector('#training-announcer').textContent),
    );
    await page.focus('#training-step');
    await page.keyboard.press('Enter');
    await stepsAre(1);
    await page.keyboard.press('Space');
    await stepsAre(2);
    await page.waitForFunction(() =>
      /^Step [12]: loss/.test(document.querySelector('#training-announcer').textContent),
    );
    await page.focus('#skip');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.classList.contains('skip-target')), true);
  });

  for (const [colorScheme, width, task] of [
    ['light', 1280, 'recover'],
    ['light', 320, 'rings'],
    ['dark', 1280, 'rings'],
    ['dark', 320, 'recover'],
  ]) {
    test(`axe finds nothing: ${task}, ${colorScheme}, ${width} pixels`, async () => {
      await open(`task=${task}`, { colorScheme, viewport: { width, height: 900 } });
      await make(100);
      for (const id of ['training-losses', 'training-weights', 'gradient-table']) await table(id);
      await page.click('.more summary');
      assert.deepEqual(await violations(), []);
      assert.ok(await fits(), 'no horizontal scrolling');
    });
  }
});
