// What people bring to Explore, in Chromium: .safetensors, 16-bit numbers, camera and microphone (Chromium's own fakes), files that
// cannot be opened, results that are saved, and that nothing of it leaves the machine.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import {
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
  url,
  violations,
} from './support/demo.mjs';

const DEVICES = { permissions: ['camera', 'microphone'] };

/** Layer normalization in float64. */
function normalize(values, epsilon = 1e-3) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  return {
    mean,
    std: Math.sqrt(variance),
    y: values.map((value) => (value - mean) / Math.sqrt(variance + epsilon)),
  };
}

/** A .safetensors file of tensors: name, dtype, shape, elements. */
function safetensors(...tensors) {
  const header = {};
  let end = 0;
  const blocks = tensors.map(([name, dtype, shape, { buffer, byteOffset, byteLength }]) => {
    header[name] = { dtype, shape, data_offsets: [end, end + byteLength] };
    end += byteLength;
    return Buffer.from(buffer, byteOffset, byteLength);
  });
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...blocks]);
}

/** Numbers that bfloat16 and float16 both have: halves from -8 to 8. */
const halves = (n, seed = 1) =>
  Array.from({ length: n }, (_, i) => Math.round(16 * Math.sin(i * i + seed)) / 2);
/** Bits of such numbers. */
const bfloat16 = (values) =>
  Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16);
const float16 = (values) =>
  Uint16Array.from(values, (value) => {
    const magnitude = Math.abs(value);
    if (magnitude === 0) return 0;
    const exponent = Math.floor(Math.log2(magnitude));
    return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((magnitude / 2 ** exponent - 1) * 1024);
  });
const numberOf = (bits) => {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
};

const bring = (name, buffer, mimeType = '') => page.setInputFiles('#file', { name, mimeType, buffer });

/** What the result is saved as: type, shape, and where its bytes start. */
async function saved(button = '#save') {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  const bytes = readFileSync(await download.path());
  const name = download.suggestedFilename();
  if (!name.endsWith('.npy')) return { name, bytes };
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const [, descr] = /'descr': '([^']+)', 'fortran_order': False/.exec(header);
  const shape = /'shape': \(([^)]*)\)/.exec(header)[1].split(',').filter(Boolean).map(Number);
  return { name, bytes, descr, shape, data: bytes.subarray(start) };
}

/** What the table shows of the samples: x, mean, std, y, mean, std. */
async function table() {
  await page.check('input[value=table]');
  const rows = await page.$$eval('.samples-table tbody tr', (lines) =>
    lines.map((line) => [...line.querySelectorAll('td')].map((cell) => cell.textContent)),
  );
  return rows.map((row) => row.map(number));
}

const says = (part) =>
  page.waitForFunction((part) => document.querySelector('#data-error').textContent.includes(part), part);

const shows = (name) =>
  page.waitForFunction((name) => document.querySelector('#dataset-name').textContent === name, name);

describe('.safetensors', () => {
  beforeEach(() => open());

  test('several tensors: the first of floats is opened, any other can be chosen', async () => {
    const weights = halves(24);
    const others = halves(6, 5);
    const file = safetensors(
      ['ids', 'I64', [3], BigInt64Array.of(7n, 8n, 9n)],
      ['layers.0.weight', 'F32', [6, 4], Float32Array.from(weights)],
      ['layers.0.bias', 'F64', [2, 3], Float64Array.from(others)],
      ['quantized', 'F8_E4M3', [4], Uint8Array.of(1, 2, 3, 4)],
    );
    await change(() => drop('model.safetensors', '', file));
    assert.equal(await text('#dataset-name'), 'model.safetensors');
    assert.equal(await text('#dataset-shape'), '[6, 4] float32');
    assert.match(await text('#dataset-notes'), /^layers\.0\.weight, one of 4 tensors\./);
    const options = await page.$$eval('#tensor option', (all) => all.map(({ textContent }) => textContent));
    assert.deepEqual(options, [
      'ids [3] I64',
      'layers.0.weight [6, 4] F32',
      'layers.0.bias [2, 3] F64',
      'quantized [4] F8_E4M3',
    ]);
    assert.equal(await page.inputValue('#tensor'), '1');
    const { y } = normalize(weights.slice(8, 12));
    (await table())[2].slice(6, 10).forEach((value, i) => {
      assert.ok(Math.abs(value - y[i]) <= 0.00051, `${value}, expected ${y[i]}`);
    });

    await change(() => page.selectOption('#tensor', '2'));
    assert.equal(await text('#dataset-shape'), '[2, 3] float64');
    assert.equal(await text('#engine-detail'), 'simd, 1 thread, float64');
    const second = normalize(others.slice(3)).y;
    (await table())[1].slice(5, 8).forEach((value, i) => {
      assert.ok(Math.abs(value - second[i]) <= 0.00051);
    });

    await page.selectOption('#tensor', '3');
    await says('Tensor “quantized” holds floats of 8 bits (F8_E4M3)');
    assert.equal(await page.inputValue('#tensor'), '2', 'what is open is still what is chosen');
    assert.equal(await text('#dataset-shape'), '[2, 3] float64');

    await change(() => page.selectOption('#tensor', '0'));
    assert.equal(await text('#dataset-shape'), '[3] float64');
    assert.ok(await page.locator('#data-error').isHidden());

    await change(() => page.selectOption('#example', 'iris'));
    assert.ok(await page.locator('#tensors').isHidden());
  });

  test('the chooser can be used by keyboard', async () => {
    await change(() =>
      bring(
        'two.safetensors',
        safetensors(
          ['a', 'F32', [4], Float32Array.from(halves(4))],
          ['b', 'F32', [2, 2], Float32Array.from(halves(4))],
        ),
      ),
    );
    await page.focus('#tensor');
    await change(() => page.keyboard.press('ArrowDown'));
    assert.equal(await text('#dataset-shape'), '[2, 2] float32');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'tensor');
    assert.ok(await page.getByLabel('Tensor').isVisible());
  });

  test('a file with more numbers than a page can hold: what is small in it can be opened', async () => {
    const huge = new Uint8Array(81_000_000);
    const file = safetensors(
      ['huge', 'U8', [81_000, 1000], huge],
      ['small', 'F32', [2, 3], Float32Array.from(halves(6))],
    );
    const path = join(await mkdtemp(join(tmpdir(), 'demo-')), 'large.safetensors');
    await writeFile(path, file);
    try {
      await change(() => page.setInputFiles('#file', path));
      assert.equal(await text('#dataset-shape'), '[2, 3] float32');
      await page.selectOption('#tensor', '0');
      await says('81,000,000 numbers are more than a page can hold: at most 80,000,000.');
      assert.equal(await page.inputValue('#tensor'), '1');
    } finally {
      await rm(dirname(path), { recursive: true });
    }
  });
});

describe('numbers of 16 bits', () => {
  beforeEach(() => open());

  const rows = [0, 1, 2, 3].map((row) => halves(8, row));

  test('float16 from .npy is computed as such, checked with its own ulp, and saved as such', async () => {
    const bits = float16(rows.flat());
    await change(() => drop('half.npy', '', npy('<f2', [4, 8], bits.buffer)));
    assert.equal(await text('#dataset-shape'), '[4, 8] float16');
    assert.equal(await text('#engine-detail'), 'simd, 1 thread, float16');
    assert.equal(
      await text('#engine-call'),
      "layerNorm(x, { shape: [4, 8], dtype: 'float16', axis: 1, epsilon: 0.001, gamma, beta })",
    );
    assert.match(await text('#engine-bytes'), /^128 B/);
    const ulp = Number.parseFloat(await text('#engine-error'));
    assert.ok(ulp > 0.05 && ulp <= 0.51, `${ulp} ulp: rounded once`);
    const shown = await table();
    const { descr, shape, data, name } = await saved();
    assert.deepEqual([name, descr, shape, data.length], ['layerNorm.npy', '<f2', [4, 8], 64]);
    rows.forEach((values, r) => {
      normalize(values).y.forEach((expected, c) => {
        const value = numberOf(data.readUInt16LE((r * 8 + c) * 2));
        assert.ok(
          Math.abs(value - expected) <= 2 ** -11 * Math.max(1, Math.abs(expected)) * 1.01,
          `${value}, ${expected}`,
        );
        assert.ok(Math.abs(shown[r][10 + c] - value) <= 0.00051, 'the table shows what is saved');
      });
    });
  });

  test('the other byte order', async () => {
    const bytes = Buffer.from(float16(rows.flat()).buffer).swap16();
    await change(() => drop('half.npy', '', npy('>f2', [4, 8], bytes)));
    assert.equal(await text('#dataset-shape'), '[4, 8] float16');
    assert.deepEqual((await table())[3].slice(0, 8), rows[3]);
  });

  test('bfloat16 from .safetensors, for each method', async () => {
    await change(() => bring('w.safetensors', safetensors(['w', 'BF16', [4, 8], bfloat16(rows.flat())])));
    assert.equal(await text('#dataset-shape'), '[4, 8] bfloat16');
    assert.match(
      await text('#dataset-notes'),
      /w, the only tensor of the file\..*NumPy has no bfloat16: y is saved as float32/,
    );
    for (const method of ['rms', 'unit', 'batch', 'group', 'instance', 'layer']) {
      await change(() => page.check(`input[name=method][value=${method}]`));
      assert.match(await text('#engine-call'), /dtype: 'bfloat16'/);
      const ulp = Number.parseFloat(await text('#engine-error'));
      assert.ok(ulp <= 0.51, `${method}: ${ulp} ulp`);
    }
    const { descr, data } = await saved();
    assert.equal(descr, '<f4');
    rows.forEach((values, r) => {
      normalize(values).y.forEach((expected, c) => {
        const value = data.readFloatLE((r * 8 + c) * 4);
        assert.ok(Math.abs(value - expected) <= 2 ** -8 * Math.max(1, Math.abs(expected)) * 1.01);
        assert.equal(
          new Uint32Array(Float32Array.of(value).buffer)[0] & 0xffff,
          0,
          'it is a number of bfloat16',
        );
      });
    });
  });
});

describe('the camera', () => {
  beforeEach(() => open(DEVICES));

  const start = async () => {
    await change(() => page.click('#use-camera'));
    assert.equal(await text('#dataset-name'), 'Camera');
  };
  const pixels = (pane) =>
    page.$eval(`.picture-pane:nth-child(${pane}) canvas`, (canvas) => {
      const { width, height } = canvas;
      const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      return [...context.getImageData(0, 0, width, height).data];
    });
  /** Waits until the pictures have been drawn so many times more. */
  const frames = (n) =>
    page.evaluate(
      (n) =>
        new Promise((resolve) => {
          const canvas = document.querySelector('.picture-pane:nth-child(2) canvas');
          const seen = new Set();
          const look = () => {
            seen.add(canvas.toDataURL());
            if (seen.size > n) resolve();
            else requestAnimationFrame(look);
          };
          look();
        }),
      n,
    );

  test('before and after follow what it sees, and the last frame can be examined and saved', async () => {
    await start();
    assert.equal(await text('#dataset-shape'), '[120, 160, 3] uint8, computed as float32');
    assert.equal(await text('#capture-status'), 'The camera is live. What it sees stays on this machine.');
    await frames(3);
    await change(() => page.click('text=Stop camera'));
    assert.equal(await text('#use-camera'), 'Use camera');
    assert.equal(await text('#capture-status'), '');
    const before = await pixels(1);
    const { descr, shape, data } = await saved();
    assert.deepEqual([descr, shape], ['<f4', [120, 160, 3]]);
    const row = (r) =>
      Array.from({ length: 480 }, (_, i) => before[(r * 160 + Math.floor(i / 3)) * 4 + (i % 3)]);
    for (const r of [0, 30, 60, 119]) {
      normalize(row(r)).y.forEach((expected, i) => {
        assert.ok(Math.abs(data.readFloatLE((r * 480 + i) * 4) - expected) < 2e-5);
      });
    }
    assert.deepEqual(await pixels(1), before, 'it has stopped');
  });

  test('settings take effect while it is live, and neither focus nor announcements follow the frames', async () => {
    await start();
    await page.focus('#epsilon');
    await page.waitForFunction(() =>
      document.querySelector('#announcer').textContent.includes('120 samples normalized'),
    );
    await page.evaluate(() => {
      window.announced = [];
      for (const id of ['announcer', 'capture-status', 'axis-outcome']) {
        new MutationObserver(() => window.announced.push(id)).observe(document.getElementById(id), {
          childList: true,
          characterData: true,
          subtree: true,
        });
      }
    });
    await frames(10);
    assert.deepEqual(await page.evaluate(() => window.announced), []);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'epsilon');

    await page.check('input[name=method][value=instance]');
    await page.waitForFunction(() =>
      document.querySelector('#engine-call').textContent.startsWith('instanceNorm('),
    );
    assert.equal(await text('#axis-outcome'), '3 groups of 19,200 elements each');
    await page.fill('#epsilon', '-1');
    await page.locator('#stale').waitFor();
    await page.fill('#epsilon', '0.5');
    await page.waitForFunction(() =>
      document.querySelector('#engine-call').textContent.includes('epsilon: 0.5'),
    );
    assert.ok(await page.locator('#stale').isHidden());
    await frames(2);
    await page.check('input[name=view][value=map]');
    await frames(2);
    assert.ok(await page.isChecked('input[name=view][value=map]'), 'the view stays');
  });

  test('other data, another view, or a second click, let go of it', async () => {
    await page.evaluate(() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        window.stream = await ask(wanted);
        return window.stream;
      };
    });
    const states = () => page.evaluate(() => window.stream.getTracks().map(({ readyState }) => readyState));
    await start();
    assert.deepEqual(await states(), ['live']);
    await drop('mine.csv', 'text/csv', '1,2\n3,5\n');
    await shows('mine.csv');
    assert.deepEqual(await states(), ['ended']);
    assert.equal(await text('#use-camera'), 'Use camera');

    await page.click('#use-camera');
    await shows('Camera');
    await page.click('#nav a[href="#training"]');
    await page.waitForFunction(() => window.stream.getTracks()[0].readyState === 'ended');
    await page.click('#nav a[href="#explore"]');
    assert.equal(await text('#dataset-name'), 'Camera');
    assert.equal(await text('#use-camera'), 'Use camera');

    await page.click('#use-camera');
    await shows('Camera');
    await page.click('#use-microphone');
    await shows('Microphone');
    assert.equal(await text('#use-camera'), 'Use camera');
    await page.click('text=Stop microphone');
    assert.deepEqual(await states(), ['ended']);
  });

  test('unplugged, it says so, and the last frame stays', async () => {
    await page.evaluate(() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        window.stream = await ask(wanted);
        return window.stream;
      };
    });
    await start();
    await page.evaluate(() => window.stream.getTracks()[0].dispatchEvent(new Event('ended')));
    await says('The camera has been taken away. Its last frame stays.');
    assert.equal(await text('#dataset-name'), 'Camera');
    assert.equal(await text('#use-camera'), 'Use camera');
  });

  test('by keyboard', async () => {
    await page.focus('#use-camera');
    await change(() => page.keyboard.press('Enter'));
    assert.equal(await text(':focus'), 'Stop camera');
    await page.keyboard.press('Enter');
    assert.equal(await text(':focus'), 'Use camera');
    await page.waitForFunction(
      () => document.querySelector('#announcer').textContent === 'The camera is off. Its last frame stays.',
    );
  });
});

test('the microphone: moments of different loudness look alike after layer normalization', async () => {
  await open(DEVICES);
  await change(() => page.click('#use-microphone'));
  assert.equal(await text('#dataset-name'), 'Microphone');
  assert.equal(await text('#dataset-shape'), '[64, 64] float32');
  assert.equal(await text('#capture-status'), 'The microphone is live. What it hears stays on this machine.');
  assert.match(
    await text('#dataset-notes'),
    /Louder sound adds the same number to all bands of a moment\. Layer normalization takes/,
  );
  // Chromium's microphone beeps now and then, and is silent in between.
  await page.waitForFunction(
    () =>
      [...document.querySelectorAll('.sample .statistic:nth-child(3)')].some(
        ({ lastChild }) => Number(lastChild.textContent.replace('−', '-')) > -119,
      ),
    undefined,
    { timeout: 20_000 },
  );
  await change(() => page.click('text=Stop microphone'));
  const names = await page.$$eval('.sample-label', (labels) => labels.map(({ textContent }) => textContent));
  assert.equal(names[0], 'x[0, :]now');
  assert.match(names[1], /^x\[1, :\](−\d\.\d\d s|not yet)$/);
  const rows = await table();
  assert.equal(rows.length, 25);
  for (const [, std, mean, after] of rows) {
    assert.equal(mean, 0);
    assert.equal(after, std === 0 ? 0 : 1);
  }
  assert.equal(await page.$$eval('#elements th[scope=row]', ([first]) => first.textContent), '75 Hz');
  const { descr, shape } = await saved();
  assert.deepEqual([descr, shape], ['<f4', [64, 64]]);
});

describe('no camera', () => {
  const failing = (name) =>
    page.evaluate((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException('', name);
      };
    }, name);

  test('permission refused by the browser itself', async () => {
    // The browser of the other tests allows everything, whatever a page has been granted.
    const strict = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH || '/usr/bin/chromium',
      args: ['--no-sandbox', '--use-fake-device-for-media-stream'],
    });
    try {
      const page = await strict.newPage({ permissions: [] });
      await page.goto(`${url}#explore?example=iris&view=map`);
      await page.waitForSelector('#sample-0');
      for (const device of ['camera', 'microphone']) {
        await page.click(`#use-${device}`);
        const message = `The ${device} has not been allowed. Allow it beside the address of the page`;
        await page.locator('#data-error', { hasText: message }).waitFor();
        assert.equal(await page.textContent(`#use-${device}`), `Use ${device}`);
        assert.equal(await page.textContent('#capture-status'), '');
      }
      assert.match(await page.textContent('#dataset-name'), /Iris/);
    } finally {
      await strict.close();
    }
  });

  test('none there, in use, or a page that may not ask', async () => {
    await open();
    for (const [error, message] of [
      ['NotFoundError', 'The browser finds no camera on this machine.'],
      ['NotReadableError', 'The camera does not answer. Another program may be using it.'],
      ['OverconstrainedError', 'finds no camera'],
    ]) {
      await failing(error);
      await page.click('#use-camera');
      await says(message);
    }
    await page.evaluate(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
    await page.click('#use-microphone');
    await says('Browsers give the microphone only to pages that come over https, or from this machine.');
    assert.match(await text('#dataset-name'), /Iris/);
  });

  test('while the browser asks, one can change one’s mind', async () => {
    await open();
    await page.evaluate(() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (wanted) =>
        new Promise((resolve) => {
          window.allow = async () => {
            window.stream = await ask(wanted);
            resolve(window.stream);
          };
        });
    });
    await page.click('#use-camera');
    assert.match(await text('#capture-status'), /Waiting for the camera: the browser asks/);
    await page.click('text=Stop camera');
    assert.equal(await text('#capture-status'), '');
    await page.evaluate(() => window.allow());
    await page.waitForFunction(() =>
      window.stream.getTracks().every(({ readyState }) => readyState === 'ended'),
    );
    assert.match(await text('#dataset-name'), /Iris/);
  });
});

describe('pictures that are saved', () => {
  beforeEach(() => open());

  test('as .npy and as .png', async () => {
    const colorAt = (row, column) => [row * 60, column * 40, 200];
    await change(() => bring('p.png', png(6, 4, colorAt), 'image/png'));
    const { descr, shape, data } = await saved();
    assert.deepEqual([descr, shape], ['<f4', [4, 6, 3]]);
    const rows = [0, 1, 2, 3].map(
      (row) => normalize([0, 1, 2, 3, 4, 5].flatMap((column) => colorAt(row, column))).y,
    );
    rows.flat().forEach((expected, i) => {
      assert.ok(Math.abs(data.readFloatLE(i * 4) - expected) < 1e-5);
    });

    const { name, bytes } = await saved('#save-picture');
    assert.equal(name, 'layerNorm.png');
    const decoded = await page.evaluate(async (data) => {
      const picture = await createImageBitmap(
        new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))]),
      );
      const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
      context.drawImage(picture, 0, 0);
      return {
        width: picture.width,
        height: picture.height,
        data: [...context.getImageData(0, 0, picture.width, picture.height).data],
      };
    }, bytes.toString('base64'));
    assert.deepEqual([decoded.width, decoded.height], [6, 4]);
    const reach = Math.max(...rows.flat().map(Math.abs));
    rows.flat().forEach((value, i) => {
      const shown = decoded.data[Math.floor(i / 3) * 4 + (i % 3)];
      assert.ok(Math.abs(shown - (127.5 + (value / reach) * 127.5)) <= 1);
    });
    await change(() => page.selectOption('#example', 'iris'));
    assert.ok(await page.locator('#save-picture').isHidden());
  });

  test('one that is drawn thinner is saved with all its pixels', async () => {
    await change(() =>
      bring(
        'wide.png',
        png(1500, 2, (row, column) => [column % 256, row * 100, 7]),
        'image/png',
      ),
    );
    assert.match(await text('#view-picture figcaption'), /One in 2 rows and columns is drawn/);
    const { bytes } = await saved('#save-picture');
    assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [1500, 2]);
    assert.deepEqual((await saved()).shape, [2, 1500, 3]);
  });
});

test('files that cannot be opened: each says why, and leaves everything as it was', async () => {
  await open();
  const before = await text('#engine-call');
  const header = (json, length) => {
    const bytes = Buffer.from(json);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(length ?? BigInt(bytes.length));
    return Buffer.concat([start, bytes]);
  };
  const zip = (entry) =>
    Buffer.concat([
      Buffer.from('PK\u0003\u0004'),
      Buffer.alloc(22),
      Buffer.from([entry.length, 0, 0, 0]),
      Buffer.from(entry),
    ]);
  const one = (entry) => Buffer.concat([header(JSON.stringify({ x: entry })), Buffer.alloc(24)]);
  for (const [name, bytes, message] of [
    ['a.safetensors', Buffer.alloc(0), 'a.safetensors: The file is empty.'],
    ['b.safetensors', header('{}', 2n ** 60n), 'its header has 1.2e+18 bytes'],
    ['c.safetensors', header('[1, 2]'), 'does not start with {'],
    [
      'd.safetensors',
      one({ dtype: 'F32', shape: [2, 3], data_offsets: [-24, 0] }),
      'no data_offsets of two whole numbers',
    ],
    [
      'e.safetensors',
      one({ dtype: 'F32', shape: [2 ** 50, 2 ** 50], data_offsets: [0, 24] }),
      'more elements than can be counted',
    ],
    [
      'f.safetensors',
      one({ dtype: 'F33', shape: [6], data_offsets: [0, 24] }),
      'dtype “F33”, which is unknown',
    ],
    [
      'g.safetensors',
      one({ dtype: 'F32', shape: [6], data_offsets: [0, 24] }).subarray(0, -5),
      'ends 5 bytes after the file',
    ],
    ['h.safetensors', header('{"__proto__": {"dtype": 1}}'), 'tensor “__proto__” has no dtype'],
    ['half.npy', npy('<f2', [9], new Uint8Array(4)), 'half.npy: This .npy file is cut off'],
    [
      'model.pt',
      zip('archive/data.pkl'),
      'PyTorch file, which can run any program when it is opened. Save the tensors with safetensors',
    ],
    ['old.pth', Buffer.from([0x80, 2, 0x8a, 10]), 'Python pickle'],
    ['model.gguf', Buffer.from('GGUF\u0003\0\0\0'), 'GGUF model'],
    ['model.onnx', Buffer.from([8, 7, 18, 7]), 'ONNX model'],
    ['model.h5', Buffer.from([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10]), 'HDF5 file'],
    ['model.keras', zip('metadata.json'), 'Keras model'],
    ['arrays.npz', zip('x.npy'), 'save one of them with numpy.save'],
    [
      'photo.heic',
      Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic'), Buffer.alloc(12)]),
      'HEIC photo, which this browser cannot decode. Export it as JPEG',
    ],
    ['torn.png', png(8, 8, () => [1, 2, 3]).subarray(0, 40), 'The browser cannot decode this picture'],
    ['song.mp3', Buffer.from('ID3\u0003'), 'recording of sound'],
  ]) {
    await drop(name, '', bytes);
    await says(message);
    assert.match(await text('#dataset-name'), /Iris/);
  }
  assert.equal(await text('#engine-call'), before);
  await page.selectOption('#example', 'iris');
  await page.waitForFunction(() => document.querySelector('#data-error').hidden);
});

test('nothing leaves the machine', async () => {
  await open(DEVICES);
  assert.match(await text('#data-private'), /^\s*Nothing leaves this machine/);
  const requests = [];
  page.context().on('request', (request) => requests.push(request));
  await change(() => drop('mine.csv', 'text/csv', '1,2,3\n3,5,9\n'));
  await change(() => bring('x.npy', npy('<f4', [2, 3], Float32Array.from(halves(6)).buffer)));
  await change(() => bring('x.safetensors', safetensors(['x', 'BF16', [2, 3], bfloat16(halves(6))])));
  await change(() =>
    bring(
      'p.png',
      png(6, 4, (row, column) => [row * 60, column * 40, 200]),
      'image/png',
    ),
  );
  await saved('#save-picture');
  await saved();
  await page.click('#use-camera');
  await shows('Camera');
  await page.click('#use-microphone');
  await shows('Microphone');
  await page.click('text=Stop microphone');
  for (const request of requests) {
    const { protocol, origin, search } = new URL(request.url());
    assert.equal(request.method(), 'GET');
    assert.equal(request.postData(), null);
    assert.ok(protocol === 'blob:' || `${origin}/` === url, `${request.url()} is asked for`);
    assert.equal(search, '');
  }

  // Nor could it, if it wanted to: not from the page, and not from the worker, which has the policy as a header.
  const outside = 'https://example.invalid/';
  const refused = await page.evaluate(async (outside) => {
    const blocked = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
      blocked.push(effectiveDirective),
    );
    await fetch(outside, { method: 'POST', body: 'x' }).catch(() => {});
    navigator.sendBeacon(outside, 'x');
    new Image().src = outside;
    while (!blocked.includes('img-src')) await new Promise((resolve) => setTimeout(resolve));
    return [...new Set(blocked)];
  }, outside);
  assert.deepEqual(refused.sort(), ['connect-src', 'img-src']);
  for (const complaint of complaints) assert.match(complaint, /Content Security Policy|example\.invalid/);
  complaints.length = 0;
});

describe('accessibility', () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      test(`${colorScheme}, ${width} pixels wide`, async () => {
        await open({ colorScheme, viewport: { width, height: 900 }, ...DEVICES });
        const look = async (what) => {
          assert.deepEqual(await violations(), [], what);
          assert.ok(await fits(), `${what} needs no horizontal scrolling`);
        };
        await change(() =>
          bring(
            'a-model-with-a-rather-long-name-without-any-space.safetensors',
            safetensors(
              [
                'model.decoder.layers.11.post_attention_layernorm.weight',
                'BF16',
                [4, 8],
                bfloat16(halves(32)),
              ],
              ['q', 'F8_E4M3', [2], Uint8Array.of(1, 2)],
            ),
          ),
        );
        await look('tensors');
        await page.selectOption('#tensor', '1');
        await says('F8_E4M3');
        await look('a tensor that cannot be opened');
        await page.click('#use-camera');
        await shows('Camera');
        await look('camera');
        await page.click('#use-microphone');
        await shows('Microphone');
        await look('microphone');
        await page.click('text=Stop microphone');
        const small = await page.$$eval(
          '.drop-zone button, .drop-zone label, #tensor, .card-actions button',
          (targets) =>
            targets
              .filter((target) => target.checkVisibility())
              .map((target) => target.getBoundingClientRect())
              .filter(({ width, height }) => width < 24 || height < 24),
        );
        assert.deepEqual(small, []);
      });
    }
  }
});
