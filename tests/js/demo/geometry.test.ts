import { CAMERAS, DEFAULT, readChoice, writeChoice } from '../../../web-demo/src/geometry/choice.js';
import { CLOUD, circlePoint, cloudOf, RADIUS, toWorld } from '../../../web-demo/src/geometry/space.js';
import { towardsViewer } from '../../../web-demo/src/ui/projection.js';

const read = (values: Record<string, string>) => readChoice((name) => values[name]);

test('an empty address is the default, which writes nothing', () => {
  expect(read({})).toEqual(DEFAULT);
  expect(Object.values(writeChoice(DEFAULT)).every((value) => value === undefined)).toBe(true);
});

test('what is written is read again', () => {
  const choice = {
    method: 'rms',
    step: 2,
    exponent: -4.25,
    x: [-3, 0, 1.25],
    gamma: [1, -2, 0.5],
    beta: [0, 0.1, 2],
    seed: 17,
    camera: { yaw: -170, pitch: 35 },
  } as const;
  const written = writeChoice(choice);
  expect(written).toEqual({
    method: 'rms',
    step: '2',
    epsilon: '-4.25',
    x: '-3,0,1.25',
    gamma: '1,-2,0.5',
    beta: '0,0.1,2',
    cloud: '17',
    turn: '-170,35',
  });
  expect(readChoice((name) => written[name])).toEqual(choice);
});

test.each([
  [{ method: 'batch' }],
  [{ step: '4' }],
  [{ step: 'x' }],
  [{ step: '1,2' }],
  [{ epsilon: '99' }],
  [{ epsilon: '' }],
  [{ x: '1,2' }],
  [{ x: '1,2,3,4' }],
  [{ x: '1,,2' }],
  [{ gamma: '1,2,9' }],
  [{ beta: 'NaN,0,0' }],
  [{ cloud: '0.5' }],
  [{ turn: '5' }],
])('a bad value is the default: %j', (values) => {
  expect(read(values)).toEqual(DEFAULT);
});

test('a camera is brought into its range', () => {
  expect(read({ turn: '999,-999' }).camera).toEqual({ yaw: 180, pitch: -90 });
});

test('the same seed gives the same points, another one others', () => {
  expect(cloudOf(3)).toEqual(cloudOf(3));
  expect(cloudOf(3)).not.toEqual(cloudOf(4));
  expect(cloudOf(3).length).toBe(3 * CLOUD);
  for (let seed = 1; seed < 200; seed++) {
    const points = cloudOf(seed);
    expect([...points].every((k) => Math.abs(k) < 4)).toBe(true);
    // Some are close enough to (1, 1, 1) and to the origin for epsilon to matter.
    const deviations = Array.from({ length: CLOUD }, (_, i) => {
      const p = [...points.subarray(3 * i, 3 * i + 3)];
      const mean = (p[0] as number) / 3 + (p[1] as number) / 3 + (p[2] as number) / 3;
      return { around: Math.hypot(...p.map((k) => k - mean)), length: Math.hypot(...p) };
    });
    expect(deviations.filter(({ around }) => around < 0.1).length).toBeGreaterThanOrEqual(2);
    expect(deviations.filter(({ length }) => length < 0.15).length).toBeGreaterThanOrEqual(1);
  }
});

test('the circle lies in the plane where numbers sum to 0, at the root of 3', () => {
  for (let i = 0; i < 12; i++) {
    const p = circlePoint((i * Math.PI) / 6);
    expect(p[0] + p[1] + p[2]).toBeCloseTo(0, 12);
    expect(Math.hypot(...p)).toBeCloseTo(RADIUS, 12);
  }
});

test('one camera looks along (1, 1, 1), one across it', () => {
  const along = (camera: { yaw: number; pitch: number }): number => {
    const [a, b] = [towardsViewer(camera), toWorld([1, 1, 1])];
    return (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / RADIUS;
  };
  expect(along(CAMERAS.axis)).toBeCloseTo(1, 12);
  expect(along(CAMERAS.edge)).toBeCloseTo(0, 12);
});
