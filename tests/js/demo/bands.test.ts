import {
  bandLevels,
  bandName,
  Moments,
  melBands,
  SILENCE,
} from '../../../web-demo/src/explore/capture/bands.js';

const [RATE, SIZE] = [48_000, 4096];
const bands = melBands(64, RATE, SIZE, [60, 8000]);

test('bands lie next to each other, none is empty, and they get wider', () => {
  expect(bands).toHaveLength(64);
  bands.slice(1).forEach((band, i) => {
    const { from, to, middle } = bands[i] as (typeof bands)[0];
    expect(band.from).toBe(to);
    expect(to).toBeGreaterThan(from);
    expect(band.middle).toBeGreaterThan(middle);
  });
  const width = (i: number) => (bands[i]?.to as number) - (bands[i]?.from as number);
  expect(width(63)).toBeGreaterThan(5 * width(0));
  expect((bands[63]?.to as number) * (RATE / SIZE)).toBeCloseTo(8000, -1);
});

test('a tone is in the band that has its frequency', () => {
  for (const hertz of [100, 440, 3000]) {
    const spectrum = new Float32Array(SIZE / 2).fill(Number.NEGATIVE_INFINITY);
    spectrum[Math.round(hertz / (RATE / SIZE))] = -20;
    const levels = bandLevels(spectrum, bands);
    const loudest = levels.indexOf(Math.max(...levels));
    expect(Math.abs((bands[loudest]?.middle as number) - hertz)).toBeLessThan(Math.max(25, hertz / 10));
    expect([...levels].filter((level) => level > SILENCE)).toHaveLength(1);
  }
});

test('twice the amplitude adds the same to every band, which is why layer normalization takes it away', () => {
  const spectrum = Float32Array.from({ length: SIZE / 2 }, (_, i) => -40 - 10 * Math.sin(i));
  const louder = spectrum.map((level) => level + 20 * Math.log10(2));
  const [levels, more] = [bandLevels(spectrum, bands), bandLevels(louder, bands)];
  const added = more.map((level, i) => level - (levels[i] as number));
  expect(Math.min(...added)).toBeCloseTo(6.02, 2);
  expect(Math.max(...added)).toBeCloseTo(6.02, 2);
});

test('the spectrum of a low sample rate ends earlier', () => {
  const few = melBands(64, 8000, SIZE, [60, 8000]);
  expect(few[63]?.to).toBe(SIZE / 2);
  expect(few[63]?.middle).toBeLessThan(4000);
});

test('a spectrum of few bins still gives as many bands, inside of it', () => {
  for (const { from, to } of melBands(64, 48_000, 32, [60, 8000])) {
    expect(from).toBeGreaterThanOrEqual(0);
    expect(to).toBeGreaterThan(from);
    expect(to).toBeLessThanOrEqual(16);
  }
});

test('frequencies as one says them', () => {
  expect(bandName({ middle: 74.6, from: 0, to: 1 })).toBe('75 Hz');
  expect(bandName({ middle: 7836, from: 0, to: 1 })).toBe('7.84 kHz');
});

test('the newest moment comes first, the oldest is forgotten, and what has not been is silence', () => {
  const moments = new Moments(3, 2);
  expect(moments.isEmpty).toBe(true);
  moments.push(1000, Float32Array.of(1, 2));
  moments.push(1060, Float32Array.of(3, 4));
  expect(moments.snapshot()).toEqual({
    levels: Float32Array.of(3, 4, 1, 2, SILENCE, SILENCE),
    times: ['now', '−0.06 s', 'not yet'],
  });
  moments.push(1125, Float32Array.of(5, 6));
  moments.push(1200, Float32Array.of(7, 8));
  expect([...moments.snapshot().levels]).toEqual([7, 8, 5, 6, 3, 4]);
  expect(moments.snapshot().times).toEqual(['now', '−0.07 s', '−0.14 s']);
});
