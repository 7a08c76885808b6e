// The figure of who shares a statistic, in Chromium: its cubes against groups that are worked out here, how it turns, and whether
// it can be used without a mouse and without motion.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { change, drop, fits, npy, open, page, text, violations } from './support/demo.mjs';

/** Drops a tensor of small numbers. */
const load = (shape) => {
  const size = shape.reduce((a, b) => a * b);
  const values = Float32Array.from({ length: size }, (_, i) => Math.round(99 * Math.cos(i * i)) / 9);
  return change(() => drop(`${shape.join('x')}.npy`, '', npy('<f4', shape, values.buffer)));
};
const isChosen = (method) => page.isChecked(`input[name=method][value=${method}]`);
const choose = async (method) => {
  if (!(await isChosen(method))) await change(() => page.check(`input[name=method][value=${method}]`));
};
const axis = async (d) => {
  const input = page.locator(`label:has-text("axis ${d}") input`);
  if (!(await input.isChecked())) await change(() => input.check());
};

const cubes = () =>
  page.$$eval('.share-cell', (cells) =>
    cells.map((cell) => ({
      index: cell.dataset.index.split(',').map(Number),
      group: Number(cell.dataset.group),
      isSame: cell.matches('.same'),
      isChosen: cell.matches('.chosen'),
      isOdd: cell.matches('.odd'),
      faces: cell.querySelectorAll('path').length,
    })),
  );
const angles = () =>
  page.$eval('.sharing-block', ({ dataset }) => ({ yaw: Number(dataset.yaw), pitch: Number(dataset.pitch) }));
const stands = () => page.waitForFunction(() => !document.querySelector('.sharing-block[data-turning]'));

/** Checks that what is filled is the group of the marked cell. */
async function check(key, total) {
  const all = await cubes();
  assert.equal(all.length, total, 'cubes that are drawn');
  assert.equal(new Set(all.map(({ index }) => index.join())).size, total, 'each of them once');
  const marked = all.filter(({ isChosen }) => isChosen);
  assert.equal(marked.length, 1);
  const [{ index: focus }] = marked;
  for (const { index, isSame } of all) {
    assert.equal(isSame, key(index) === key(focus), `[${index}] with [${focus}] in focus`);
  }
  // Groups are told apart: all of one have a tone, and where there are more, both tones occur.
  const tones = new Map();
  for (const { index, isOdd } of all) {
    assert.equal(tones.get(key(index)) ?? isOdd, isOdd);
    tones.set(key(index), isOdd);
  }
  if (tones.size > 1) assert.equal(new Set(tones.values()).size, 2);
  assert.ok(all.some(({ isSame, faces }) => isSame && faces > 0));
  // The sample in numbers is that of the figure.
  const [, code] = /x\[(.*)\]/.exec(await text('#one-name code'));
  code.split(', ').forEach((part, d) => {
    if (/^\d+$/.test(part)) assert.equal(focus[d], Number(part), code);
  });
  return focus;
}

/** What is one group, by the indices of a cell: as the papers define it, not as the page has it. */
const CASES = [
  ['layer', [6, 8], [1], ([n]) => `${n}`],
  ['rms', [6, 8], [1], ([n]) => `${n}`],
  ['batch', [6, 8], [1], ([, c]) => `${c}`],
  ['group', [6, 8], [1], ([n, c]) => `${n} ${c >> 1}`],
  ['layer', [2, 3, 6], [2], ([b, t]) => `${b} ${t}`],
  ['layer', [2, 3, 6], [2, 1], ([b]) => `${b}`],
  ['batch', [2, 3, 6], [2], ([, , d]) => `${d}`],
  ['instance', [2, 3, 6], [2], ([b, , d]) => `${b} ${d}`],
  ['layer', [2, 4, 3, 3], [3, 2, 1], ([n]) => `${n}`],
  ['unit', [2, 4, 3, 3], [3], ([n, c, h]) => `${n} ${c} ${h}`],
  ['batch', [2, 4, 3, 3], [1], ([, c]) => `${c}`],
  ['group', [2, 4, 3, 3], [1], ([n, c]) => `${n} ${c >> 1}`],
  ['instance', [2, 4, 3, 3], [1], ([n, c]) => `${n} ${c}`],
];

describe('the cubes', () => {
  beforeEach(() => open({ reducedMotion: 'reduce' }));

  for (const shape of [
    [6, 8],
    [2, 3, 6],
    [2, 4, 3, 3],
  ]) {
    test(`of [${shape}]: those of the group are filled, with every method`, async () => {
      await load(shape);
      const size = shape.reduce((a, b) => a * b);
      for (const [method, of, axes, key] of CASES) {
        if (of !== shape && of.join() !== shape.join()) continue;
        await choose(method);
        for (const d of axes) await axis(d);
        if (method === 'group')
          await change(() => page.fill('#groups-range', shape.length === 2 ? '2' : '1'));
        await check(key, size);
        await page.focus('#samples');
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('ArrowRight');
        const moved = await check(key, size);
        assert.ok(
          moved.some((k) => k > 0),
          'the figure follows the cell in focus',
        );
        if (axes.length > 1) await load(shape);
      }
    });
  }

  test('of a large tensor, some are drawn, and the sizes are written', async () => {
    await load([9, 16, 12, 10]);
    await choose('batch');
    await axis(1);
    await check(([, c]) => `${c}`, 6 * 8 * 6);
    const labels = await page.$$eval('.sharing-block text', (all) => all.map((one) => one.textContent));
    assert.deepEqual(labels.sort(), ['axes 2, 3: 12 × 10', 'axis 0: 9', 'axis 1: 16']);
    assert.equal(await page.locator('.share-more').count(), 9, 'three dots at each of three ends');
    await page.focus('#samples');
    for (let i = 0; i < 11; i++) await page.keyboard.press('ArrowDown');
    const focus = await check(([, c]) => `${c}`, 6 * 8 * 6);
    assert.equal(focus[1], 11, 'the window moves with the cell in focus');
  });

  test('the caption says it in words', async () => {
    await load([2, 4, 3, 3]);
    await choose('batch');
    await axis(1);
    assert.equal(
      await text('#sharing-caption'),
      'The 18 filled cells x[:, 0, :, :] share one mean and one variance, the marked one, x[0, 0, 0, 0], among them. They go through both samples.',
    );
    assert.match(await text('#sharing-key'), /Axis 1 to the right, axes 2 and 3 down, axis 0 to the back/);
    await choose('instance');
    assert.match(
      await text('#sharing-caption'),
      /^The 9 filled cells .* No other sample has a part in that\.$/,
    );
  });
});

describe('turning', () => {
  test('another choice turns it within 0.6 s, to another side of it', async () => {
    await open();
    await load([2, 4, 3, 3]);
    await stands();
    const before = await angles();
    await page.evaluate(() => {
      window.turns = [];
      const block = document.querySelector('.sharing-block');
      new MutationObserver(() => {
        window.turns.push({ at: performance.now(), yaw: Number(block.dataset.yaw) });
      }).observe(block, { attributeFilter: ['data-yaw'] });
    });
    await page.check('input[name=method][value=batch]');
    await page.waitForFunction(() => document.querySelector('.sharing-block[data-turning]'));
    await stands();
    const after = await angles();
    assert.notEqual(after.yaw, before.yaw);
    const turns = await page.evaluate(() => window.turns);
    assert.ok(turns.length > 3, `${turns.length} steps`);
    assert.ok(turns.at(-2).at - turns[0].at <= 600, 'all but the last step, which may come late');
    const sign = Math.sign(after.yaw - before.yaw);
    turns.slice(1).forEach(({ yaw }, i) => {
      assert.ok((yaw - turns[i].yaw) * sign >= 0, 'it turns one way');
    });
  });

  test('it stands still for whoever asks for less motion, and shows the same', async () => {
    await open({ reducedMotion: 'reduce' });
    await load([2, 4, 3, 3]);
    const before = await angles();
    await page.evaluate(() => {
      window.yaws = new Set();
      window.turned = 0;
      const block = document.querySelector('.sharing-block');
      new MutationObserver(() => {
        window.yaws.add(block.dataset.yaw);
        if (block.matches('[data-turning]')) window.turned++;
      }).observe(block, { attributes: true });
    });
    await choose('batch');
    const after = await angles();
    assert.notEqual(after.yaw, before.yaw);
    assert.deepEqual(await page.evaluate(() => [[...window.yaws].map(Number), window.turned]), [
      [after.yaw],
      0,
    ]);
  });

  test('by the keyboard, and by dragging; what is in front is painted last', async () => {
    await open({ reducedMotion: 'reduce' });
    await load([2, 3, 6]);
    const start = await angles();
    await page.focus('#sharing-right');
    await page.keyboard.press('Enter');
    assert.equal((await angles()).yaw, start.yaw - 20);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    const left = await angles();
    assert.equal(left.yaw, start.yaw - 60);
    assert.equal((await cubes()).at(-1).index.join(), '0,0,0', 'from the left, the left is in front');
    await page.focus('#sharing-left');
    for (let i = 0; i < 12; i++) await page.keyboard.press('Space');
    assert.equal((await angles()).yaw, 80, 'it cannot be seen from behind');
    assert.equal((await cubes()).at(-1).index.join(), '0,0,5');

    const box = await page.locator('.sharing-block').boundingBox();
    await page.mouse.move(box.x + 60, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 100, box.y + 80);
    await page.mouse.up();
    const dragged = await angles();
    assert.equal(dragged.yaw, 60);
    assert.equal(dragged.pitch, start.pitch + 10);
    await page.mouse.move(box.x + 10, box.y + 10);
    assert.deepEqual(await angles(), dragged, 'only while the button is down');
  });
});

describe('accessibility', () => {
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 320],
  ]) {
    test(`${colorScheme}, ${width} pixels wide`, async () => {
      await open({ colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' });
      await load([2, 4, 3, 3]);
      await choose('batch');
      assert.deepEqual(await violations(), []);
      assert.ok(await fits());
      const figure = await page.locator('#sharing').boundingBox();
      const inside = await page.$$eval('.sharing-block text, .share-cell path', (all) =>
        all.map((one) => {
          const { left, right, top, bottom } = one.getBoundingClientRect();
          const block = one.closest('svg').getBoundingClientRect();
          return (
            left >= block.left - 1 &&
            right <= block.right + 1 &&
            top >= block.top - 1 &&
            bottom <= block.bottom + 1
          );
        }),
      );
      assert.ok(inside.length > 20 && inside.every(Boolean), 'nothing is cut off');
      assert.ok(figure.width >= 200);
      for (const button of ['#sharing-left', '#sharing-right']) {
        const { width, height } = await page.locator(button).boundingBox();
        assert.ok(width >= 24 && height >= 24);
      }
      assert.equal(await page.getAttribute('#sharing-picture', 'aria-hidden'), 'true');
    });
  }
});
