// Speed, as it is built, in Chromium: what is measured fits together, can be cancelled, copied and linked to, with threads and
// without. How fast anything is, no test says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { serve } from '../package/support/server.mjs';
import { at, fits, number, page, text, url, violations, visit } from './support/demo.mjs';

const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));

/** How soon what was cancelled has to have ended, in ms: at once, on a machine that others use as well. */
const CANCEL_MS = 5000;

async function open(state = '', options = {}, address = url) {
  await visit(`${address}#speed${state && `?${state}`}`, options);
  await ready();
}

/** Waits until it is known whether threads can start. */
const ready = () =>
  page.waitForFunction(() =>
    /^This machine|^Threads are off/.test(document.querySelector('#speed-threads-hint')?.textContent),
  );

/** Starts one of the measurements. */
const start = (kind) => page.click(`#speed-${kind}-run`);
const isOver = (kind) => page.locator(`#speed-${kind}-busy`).waitFor({ state: 'hidden' });
const hasRounds = (kind) => page.locator(`#speed-${kind}-result`).waitFor({ state: 'visible' });

async function run(kind = 'run') {
  await start(kind);
  await page.locator(`#speed-${kind}-busy`).waitFor({ state: 'visible' });
  await isOver(kind);
  assert.equal(await page.locator(`#speed-${kind}-error`).isVisible(), false);
}

/** The table of a measurement, which need not be unfolded for that. */
const table = (kind = 'run') =>
  page.$$eval(`#speed-${kind}-result tbody tr`, (rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent)),
  );

/** A time as the page writes it, in seconds. */
function seconds(shown) {
  const [value, unit] = shown.split(' ');
  return number(value) * { s: 1, ms: 1e-3, µs: 1e-6 }[unit];
}

/** Equal but for the rounding to three digits of each. */
function assertAbout(actual, expected, what) {
  assert.ok(Math.abs(actual / expected - 1) < 0.02, `${what}: ${actual}, expected about ${expected}`);
}

/** What the rows of one shape say is positive and fits together. */
function assertFits(rows, moved, expectedNames) {
  assert.deepEqual(
    rows.map(([name]) => name),
    expectedNames,
  );
  const first = seconds(rows[0][3]);
  for (const [name, speed, middle, time, ratio] of rows) {
    assert.ok(number(speed) > 0 && seconds(time) > 0, name);
    assertAbout(number(speed) * 1e9, moved / seconds(time), `GB/s of ${name}`);
    assertAbout(number(ratio), seconds(time) / first, `ratio of ${name}`);
    const [low, high] = middle.split(' to ').map(number);
    assert.ok(
      low <= number(speed) * 1.01 && number(speed) <= high * 1.01,
      `${name}: ${speed} within ${middle}`,
    );
  }
}

const NAMES = ['Tensor', 'Array', 'Plain loop', 'memcpy'];

describe('one shape', () => {
  test('is measured; chart, table, sentence and copied text say the same', async () => {
    await open('shape=32x128');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    assert.equal(await text('#speed-version'), `layernorm ${version}`);
    assert.equal(await page.locator('#speed-take').isVisible(), false, 'there is nothing to copy yet');
    await run();

    const rows = await table();
    assertFits(rows, 32 * 128 * 4 * 2, NAMES);
    const errors = rows.map((row) => row[5]);
    assert.equal(errors[0], errors[1], 'tensor and array give the same bits');
    assert.ok(Number.parseFloat(errors[0]) <= 4 && Number.parseFloat(errors[2]) <= 4, `${errors}`);
    assert.equal(errors[3], '–');
    assert.match(
      await text('#speed-agree'),
      /^Tensor to [\d.]+ ulp, Array to [\d.]+ ulp, Plain loop to [\d.]+ ulp$/,
    );
    assert.match(
      await text('.speed-title'),
      /^layerNorm, 32 × 128 float32, 1 thread Medians of \d+ rounds\.$/,
    );
    assert.equal(await text('#speed-variant'), 'simd');

    const values = await page.$$eval('.speed-value', (all) => all.map((one) => one.textContent));
    assert.deepEqual(
      values,
      rows.map((row) => `${row[1]} GB/s`),
    );
    const widths = await page.$$eval('.speed-bar', (all) =>
      all.map((one) => Number(one.getAttribute('width'))),
    );
    for (const [i, [name, speed]] of rows.entries()) {
      if (widths[i] <= 1) continue; // as thin as one can see
      assertAbout(widths[i] / widths[3], number(speed) / number(rows[3][1]), `the bar of ${name}`);
    }
    // The line of memcpy stands at the end of its bar.
    const [line, end] = await page.evaluate(() => [
      Number(document.querySelector('line.speed-limit').getAttribute('x1')),
      document.querySelector('.speed-bar.of-copy').x.baseVal.value +
        document.querySelector('.speed-bar.of-copy').width.baseVal.value,
    ]);
    assert.ok(Math.abs(line - end) < 0.5);
    assert.match(
      await text('.speed-summary'),
      new RegExp(`^Tensor: ${rows[0][1]} GB/s, .* plain loop, .* memcpy\\.$`),
    );

    const calls = (await text('#speed-call')).split(', ');
    assert.deepEqual(
      calls.map((call) => call.replace(/ [\d.]+ µs$/, '')),
      NAMES.slice(0, 3),
    );

    await page.click('#speed-copy');
    await page.waitForFunction(() => document.querySelector('#speed-copied').textContent === 'Copied.');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.startsWith(`layernorm ${version}: speed in the browser\n`));
    assert.ok(copied.includes(await page.evaluate(() => navigator.userAgent)));
    assert.match(copied, /\d+ logical processors; cross-origin isolated: yes/);
    assert.match(copied, /layerNorm, 32 × 128 float32, 1 thread \(simd/);
    const lines = copied.split('\n').map((one) => one.trim().split(/ {2,}/));
    for (const row of rows) {
      assert.deepEqual(
        lines.find(([name]) => name === row[0]),
        row,
      );
    }
    assert.ok(copied.includes(`A call on a single number: ${calls.join(', ')}`));
  });

  for (const [state, operation, bytes, bound] of [
    ['op=rms&dtype=float16', 'rmsNorm', 2, 0.51],
    ['op=unit&dtype=bfloat16', 'unitNorm', 2, 0.51],
    ['op=batch&dtype=float64', 'batchNorm', 8, 4],
  ]) {
    test(`${state} is measured, and its loop is shown`, async () => {
      await open(`${state}&shape=8x64`);
      await run();
      const rows = await table();
      assertFits(rows, 8 * 64 * bytes * 2, NAMES);
      for (const [name, , , , , error] of rows.slice(0, 3)) {
        assert.ok(Number.parseFloat(error) <= bound, `${name}: ${error}`);
      }
      const code = await text('#speed-loop');
      assert.ok(code.startsWith(`function ${operation}(x, rows, columns, `), code);
      assert.equal(code.includes('withBfloat16'), state.includes('bfloat16'));
    });
  }

  test('where the clipboard is refused, the text is selected', async () => {
    await open('shape=1x64');
    await run();
    await page.evaluate(() => {
      navigator.clipboard.writeText = async () => {
        throw new Error('refused');
      };
    });
    await page.click('#speed-copy');
    await page.waitForFunction(() =>
      document.querySelector('#speed-copied').textContent.includes('copy it yourself'),
    );
    const [selected, all] = await page.evaluate(() => {
      const area = document.activeElement;
      return [area.value.slice(area.selectionStart, area.selectionEnd), area.value];
    });
    assert.equal(selected, all);
    assert.match(selected, /^layernorm [\s\S]*Plain loop/);
  });
});

/** Starts a measurement, cancels it once its table has so many rows, and says after how many ms it had ended. */
async function cancelAt(kind, rows) {
  const ended = page.evaluate(
    ([kind, rows]) =>
      new Promise((resolve) => {
        const find = (part) => document.querySelector(`#speed-${kind}-${part}`);
        let clicked = 0;
        const look = () => {
          if (clicked && find('busy').hidden) return resolve(performance.now() - clicked);
          if (!clicked && find('result').querySelectorAll('tbody tr').length >= rows) {
            clicked = performance.now();
            find('cancel').click();
          }
          requestAnimationFrame(look);
        };
        look();
      }),
    [kind, rows],
  );
  await start(kind);
  return ended;
}

describe('while it is measured', () => {
  test('the page says what is being done', async () => {
    await open('shape=32x128');
    await page.evaluate(() => {
      window.said = [];
      window.filled = [];
      new MutationObserver(() => {
        window.said.push(document.querySelector('#speed-run-doing').textContent);
        window.filled.push(document.querySelector('#speed-run-bar').value);
      }).observe(document.querySelector('#speed-run-doing'), { childList: true });
    });
    await run();
    const [said, filled] = await page.evaluate(() => [window.said, window.filled]);
    for (const expected of [
      /^Comparing the results/,
      /^Warming up the plain loop$/,
      /^Round \d+ of \d+$/,
      /^A single number: warming up the array$/,
    ]) {
      assert.ok(
        said.some((one) => expected.test(one)),
        `${expected}: ${said}`,
      );
    }
    assert.ok(filled.at(-1) > 0.95, `${filled.at(-1)}`);
    for (let i = 1; i < filled.length; i++) assert.ok(filled[i] >= filled[i - 1], 'progress goes forward');
    await page.waitForFunction(() =>
      /^Done\. Tensor: /.test(document.querySelector('#speed-announcer').textContent),
    );
  });

  test('the page draws and answers; cancelled, it keeps the sizes so far', async () => {
    await open();
    await start('sweep');
    await hasRounds('sweep');
    const frames = await page.evaluate(async () => {
      let frames = 0;
      for (const end = performance.now() + 2000; performance.now() < end; frames++) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      return frames;
    });
    assert.ok(frames >= 5, `${frames} frames in two seconds`);
    await page.check('input[value=rms]');
    await page.click('text="32 × 128"');
    assert.equal(await page.getAttribute('text="32 × 128"', 'aria-pressed'), 'true');
    assert.match(await text('#speed-sweep-doing'), /^Size \d+ of 15, \d+ × 512: (warming up|round)/);
    // Nothing else can be started meanwhile.
    assert.equal(await page.getAttribute('#speed-run-run', 'aria-disabled'), 'true');
    await page.click('#speed-run-run', { force: true }); // without waiting until it can be used
    assert.equal(await page.locator('#speed-run-busy').isVisible(), false);
    assert.equal(await page.locator('#speed-sweep-busy').isVisible(), true);
    await page.click('#speed-sweep-cancel');
    await isOver('sweep');
    const rows = await table('sweep');
    assert.ok(rows.length >= 1 && rows.length < 15);
    assert.match(
      await text('#speed-sweep-result .speed-title'),
      new RegExp(`^layerNorm, .* Partial: cancelled after ${rows.length} of 15 sizes\\.$`),
    );
    assert.ok(await page.locator('#speed-sweep-stale').isVisible(), 'the settings are others by now');
    assert.equal(await page.getAttribute('#speed-run-run', 'aria-disabled'), null);
  });

  test('cancelling ends it at once, keeps what there is, and leaves a page that measures', async () => {
    await open('shape=8192x1024');
    const took = await cancelAt('run', 1);
    assert.ok(took < CANCEL_MS, `${took} ms`);
    assert.match(await text('.speed-title'), /Medians of \d+ rounds\. Partial: cancelled /);
    assertFits(await table(), 8192 * 1024 * 4 * 2, NAMES);
    assert.match(await page.inputValue('#speed-text'), /Partial: cancelled/);

    await page.click('text="1 × 64"');
    await run();
    assert.match(await text('.speed-title'), /^layerNorm, 1 × 64 .* rounds\.$/);
    assertFits(await table(), 64 * 4 * 2, NAMES);
  });

  test('what is cancelled before the first round leaves the result before', async () => {
    await open('shape=1x64');
    await run();
    const before = await table();
    await page.click('text="8,192 × 1,024"');
    // In one go: a round may be over before another click arrives.
    await page.evaluate(() => {
      for (const part of ['run', 'cancel']) document.querySelector(`#speed-run-${part}`).click();
    });
    await isOver('run');
    assert.deepEqual(await table(), before);
    assert.ok(await page.locator('#speed-run-stale').isVisible());
  });

  test('leaving the view ends it', async () => {
    await open();
    await start('sweep');
    await hasRounds('sweep');
    await page.click('#nav >> text=Explore');
    await page.locator('#view-explore').waitFor({ state: 'visible' });
    await page.click('#nav >> text=Speed');
    await isOver('sweep');
    assert.match(
      await text('#speed-sweep-result .speed-title'),
      /Partial: cancelled after \d+ of 15 sizes\.$/,
    );
  });
});

describe('the whole picture', () => {
  test('has a point for each contender and size, as far as memory goes', async () => {
    // A quarter of one MiB: sizes of up to 64 KiB.
    const address = `${url}#speed?op=rms`;
    await visit('about:blank');
    await page.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 2 ** -10 }),
    );
    await page.goto(address);
    await ready();
    await run('sweep');
    const rows = await table('sweep');
    assert.deepEqual(
      rows.map(([size]) => size),
      ['4 KiB', '8 KiB', '16 KiB', '32 KiB', '64 KiB'],
    );
    assert.deepEqual(rows[0].slice(0, 2), ['4 KiB', '2 × 512']);
    for (const row of rows) {
      assert.equal(row.length, 3 + NAMES.length);
      for (const cell of row.slice(2)) assert.ok(Number.parseFloat(cell) > 0, cell);
    }
    assert.equal(
      await page.locator('#speed-sweep-result .plot .speed-line path').count(),
      rows.length * NAMES.length,
    );
    assert.match(
      await text('#speed-sweep-result .speed-title'),
      /^rmsNorm, float32, 1 thread Medians of .* rounds for each size\.$/,
    );
    const copied = await page.inputValue('#speed-text');
    for (const row of rows) {
      const speeds = row.slice(3).map((cell) => cell.split(' ')[0]);
      assert.match(copied, new RegExp(`^${row[0]} +${speeds.join(' +')}$`, 'm'));
    }
    // The shape of the settings is far too large for this machine.
    assert.match(
      await text('#speed-shape-error'),
      /512 × 1,024 of float32 is 2\.1 MB\. .*no more than 262 kB here/,
    );
  });
});

describe('threads', () => {
  test('share the work on the tensor, and can be compared', async () => {
    await open('shape=512x256&threads=2');
    assert.equal(await page.isEnabled('#speed-threads-range'), true);
    assert.equal(await page.inputValue('#speed-threads'), '2');
    assert.equal(await page.locator('#speed-threads-reason').isVisible(), false);
    await run();
    assertFits(await table(), 512 * 256 * 4 * 2, [
      'Tensor, 2 threads',
      'Tensor, 1 thread',
      ...NAMES.slice(1),
    ]);
    assert.equal(await text('#speed-variant'), 'simd-mt');
    assert.match(await text('#speed-engine-threads'), /^2 of \d+$/);
    assert.match(await page.inputValue('#speed-text'), /2 threads \(simd-mt\)/);

    await run('scaling');
    const rows = await table('scaling');
    const most = Math.max(2, await page.evaluate(() => navigator.hardwareConcurrency));
    assert.equal(rows[0][0], '1 thread');
    assert.equal(rows.at(-1)[0], `${most} threads`);
    assertFits(
      rows,
      512 * 256 * 4 * 2,
      rows.map(([name]) => name),
    );
    assert.equal(await page.locator('#speed-scaling-result .speed-line path').count(), rows.length);
  });

  test('are off without the two headers, which the page names; all else works', async () => {
    const server = await serve(at('build/demo'), "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
    try {
      await open('shape=1x64&threads=2', {}, server.url);
      assert.equal(await page.evaluate(() => crossOriginIsolated), false);
      assert.equal(await page.isDisabled('#speed-threads-range'), true);
      assert.equal(await page.isDisabled('#speed-threads'), true);
      assert.equal(await page.inputValue('#speed-threads'), '1');
      const reason = await text('#speed-threads-reason');
      assert.match(reason, /only to pages that are cross-origin isolated, and this page is not/);
      assert.match(
        reason,
        /Cross-Origin-Opener-Policy: same-origin\nCross-Origin-Embedder-Policy: require-corp/,
      );
      assert.match(
        await text('#speed-threads-said'),
        /^SharedArrayBuffer is missing: the page is not cross-origin isolated/,
      );
      assert.equal(await page.locator('p#isolation-help').count(), 1);
      assert.equal(await page.locator('#speed-scaling').isVisible(), false);
      assert.deepEqual(await violations(), []);
      await run();
      assertFits(await table(), 64 * 4 * 2, NAMES);
      assert.match(await text('.speed-title'), /, 1 thread /);
      assert.match(await page.inputValue('#speed-text'), /cross-origin isolated: no/);
    } finally {
      await server.close();
    }
  });
});

describe('settings', () => {
  test('a shape that is none, or too large, is said to be, and is not measured', async () => {
    await open();
    await page.fill('#speed-rows', '');
    assert.equal(await text('#speed-shape-error'), 'Rows: a whole number from 1 on is needed.');
    assert.equal(await page.getAttribute('#speed-rows', 'aria-invalid'), 'true');
    assert.equal(await page.getAttribute('#speed-columns', 'aria-invalid'), null);
    await start('run');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'speed-rows');
    assert.equal(await page.locator('#speed-run-busy').isVisible(), false);
    for (const bad of ['0', '-4', '1.5']) {
      await page.fill('#speed-rows', bad);
      assert.ok(await page.locator('#speed-shape-error').isVisible(), bad);
    }
    await page.fill('#speed-rows', '1000000');
    assert.match(
      await text('#speed-shape-error'),
      /^1,000,000 × 1,024 of float32 is 4\.1 GB\. Measuring it takes 16\.4 GB of memory, .* there is room for [\d,]+ rows\.$/,
    );
    await start('run');
    assert.equal(await page.locator('#speed-run-busy').isVisible(), false);
    await page.fill('#speed-rows', '3');
    assert.equal(await page.locator('#speed-shape-error').isVisible(), false);
    assert.equal(await page.getAttribute('#speed-rows', 'aria-invalid'), null);
    assert.match(
      await text('#speed-outcome'),
      /^x has 3,072 numbers, 12\.3 kB\. A call reads x and writes y: 24\.6 kB\.$/,
    );
  });

  const state = () =>
    page.evaluate(() => ({
      op: document.querySelector('input[name=speed-op]:checked').value,
      dtype: document.querySelector('input[name=speed-dtype]:checked').value,
      shape: `${document.querySelector('#speed-rows').value}x${document.querySelector('#speed-columns').value}`,
      threads: document.querySelector('#speed-threads').value,
    }));

  test('are in the address, which restores them', async () => {
    await open();
    assert.deepEqual(await state(), { op: 'layer', dtype: 'float32', shape: '512x1024', threads: '1' });
    await page.check('input[value=batch]');
    await page.check('input[value=bfloat16]');
    await page.click('text="2,048 × 1,024"');
    await page.fill('#speed-columns', '33');
    await page.fill('#speed-threads', '2');
    await page.waitForFunction(() => location.hash.includes('threads'));
    const link = await page.evaluate(() => location.href);
    assert.match(link, /#speed\?/);
    const chosen = { op: 'batch', dtype: 'bfloat16', shape: '2048x33', threads: '2' };
    assert.deepEqual(await state(), chosen);
    await page.close();
    await visit(link);
    await ready();
    assert.deepEqual(await state(), chosen);
    // By hand, with the page open.
    await page.evaluate(() => {
      location.hash = '#speed?op=unit&shape=5x6';
    });
    await page.waitForFunction(() => document.querySelector('#speed-rows').value === '5');
    assert.deepEqual(await state(), { op: 'unit', dtype: 'float32', shape: '5x6', threads: '1' });
  });

  test('values that are none become the defaults', async () => {
    await open('op=constructor&shape=0x9&dtype=int8&threads=x&more=1');
    assert.deepEqual(await state(), { op: 'layer', dtype: 'float32', shape: '512x1024', threads: '1' });
  });
});

describe('accessibility', () => {
  test('by keyboard alone: choose, measure, cancel, measure, copy', async () => {
    await open();
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () =>
      page.evaluate(() => document.activeElement.value || document.activeElement.textContent);
    await page.focus('#nav [aria-current]');
    await press('Tab', 'ArrowRight');
    assert.equal(await focused(), 'rms');
    await press('Tab', 'Tab', 'Space');
    assert.equal(await focused(), '32 × 128');
    assert.equal(await page.inputValue('#speed-rows'), '32');

    await page.focus('#skip');
    await press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'speed-results');
    await press('Tab', 'Tab');
    assert.equal(await focused(), 'Measure all sizes');
    await press('Enter', 'Tab');
    assert.equal(await focused(), 'Cancel');
    await press('Enter');
    await isOver('sweep');
    assert.equal(await focused(), 'Measure all sizes', 'the focus is not lost');
    await press('Shift+Tab');
    assert.equal(await focused(), 'Measure');
    await press('Enter');
    await page.locator('#speed-run-busy').waitFor({ state: 'visible' });
    await isOver('run');
    assert.equal(await focused(), 'Measure');
    await press('Tab');
    assert.equal(await focused(), 'As a table');
    await press('Enter');
    assert.ok(await page.locator('#speed-run-result table').isVisible());
    assertFits(await table(), 32 * 128 * 4 * 2, NAMES);
    assert.match(await text('.speed-title'), /^rmsNorm, 32 × 128/);
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      test(`${colorScheme}, ${width} pixels wide`, async () => {
        await open('shape=1x64&threads=2', { colorScheme, viewport: { width, height: 900 } });
        const look = async (what) => {
          assert.deepEqual(await violations(), [], what);
          assert.ok(await fits(), `${what} needs no horizontal scrolling`);
        };
        await look('before');
        await run();
        await run('scaling');
        await start('sweep');
        await hasRounds('sweep');
        await look('during');
        await page.click('#speed-sweep-cancel');
        await isOver('sweep');
        await page.$$eval('.speed details', (all) => {
          for (const one of all) one.open = true;
        });
        await page.fill('#speed-columns', '');
        await look('after');
        const small = await page.$$eval('.speed :is(button, summary, input)', (targets) =>
          targets
            .filter((target) => target.checkVisibility())
            .map((target) => ({
              target: target.outerHTML.slice(0, 80),
              ...target.getBoundingClientRect().toJSON(),
            }))
            .filter(({ width, height }) => width < 24 || height < 24),
        );
        assert.deepEqual(small, []);
      });
    }
  }

  test('forced colours', async () => {
    await open('shape=1x64', { forcedColors: 'active' });
    await run();
    assert.deepEqual(await violations(), []);
  });
});
