import {
  type Camera,
  cameraAt,
  ease,
  ellipsoidOutline,
  mixCameras,
  projector,
  towardsViewer,
  type Vec3,
} from '../../../web-demo/src/ui/projection.js';

const CAMERAS: Camera[] = [
  { yaw: 0, pitch: 0 },
  { yaw: 30, pitch: 24 },
  { yaw: -60, pitch: 50 },
  { yaw: 170, pitch: -90 },
];
const close = (actual: number, expected: number) => expect(actual).toBeCloseTo(expected, 10);

test('straight from the front, x goes to the right and y up, which is down on a page', () => {
  const project = projector({ yaw: 0, pitch: 0 });
  const { x, y, depth } = project([1, 2, 3]);
  close(x, 1);
  close(y, -2);
  close(depth, 3);
});

test('from the right and from above, what is near there is near', () => {
  close(projector({ yaw: 90, pitch: 0 })([1, 0, 0]).depth, 1);
  close(projector({ yaw: 0, pitch: 90 })([0, 1, 0]).depth, 1);
});

test.each(CAMERAS)('lengths and angles stay: %j', (camera) => {
  const project = projector(camera);
  const points: Vec3[] = [
    [1, 2, 3],
    [-2, 0.5, 1],
  ];
  const [a, b] = points.map(project) as [ReturnType<typeof project>, ReturnType<typeof project>];
  close(Math.hypot(a.x, a.y, a.depth), Math.sqrt(14));
  close(a.x * b.x + a.y * b.y + a.depth * b.depth, -2 + 1 + 3);
});

test.each(CAMERAS)('the viewer is where nothing moves to a side: %j', (camera) => {
  const { x, y, depth } = projector(camera)(towardsViewer(camera));
  close(x, 0);
  close(y, 0);
  close(depth, 1);
});

test('a camera at a point looks along it', () => {
  const camera = cameraAt([1, 1, 1]);
  close(camera.yaw, 45);
  close(camera.pitch, (Math.atan(Math.SQRT1_2) * 180) / Math.PI);
  const { x, y } = projector(camera)([2, 2, 2]);
  close(x, 0);
  close(y, 0);
});

test('between two cameras, the shorter way round', () => {
  close(mixCameras({ yaw: 170, pitch: 0 }, { yaw: -170, pitch: 10 }, 0.5).yaw, 180);
  close(mixCameras({ yaw: 30, pitch: 0 }, { yaw: -60, pitch: 10 }, 0.5).yaw, -15);
  expect(mixCameras({ yaw: 30, pitch: 0 }, { yaw: -60, pitch: 10 }, 1)).toEqual({ yaw: -60, pitch: 10 });
});

test.each(CAMERAS)('the outline of an ellipsoid is as far out as any of its points: %j', (camera) => {
  const project = projector(camera);
  const stretch: Vec3 = [2, -0.5, 1];
  const steps = 24;
  const outline = ellipsoidOutline(project, stretch, steps);
  for (let i = 0; i < steps; i++) {
    const [c, s] = [Math.cos((2 * Math.PI * i) / steps), Math.sin((2 * Math.PI * i) / steps)];
    const { x, y } = outline[i] as { x: number; y: number };
    let farthest = 0;
    for (let u = 0; u < 60; u++) {
      for (let v = 0; v <= 60; v++) {
        const [a, b] = [(2 * Math.PI * u) / 60, (Math.PI * v) / 60];
        const p = project([
          stretch[0] * Math.sin(b) * Math.cos(a),
          stretch[1] * Math.sin(b) * Math.sin(a),
          stretch[2] * Math.cos(b),
        ]);
        farthest = Math.max(farthest, p.x * c + p.y * s);
      }
    }
    expect(x * c + y * s).toBeGreaterThanOrEqual(farthest - 1e-9);
    expect(x * c + y * s).toBeLessThan(farthest * 1.01 + 1e-6);
  }
});

test('motions begin and end where they should, and never go back', () => {
  expect([ease(0), ease(1)]).toEqual([0, 1]);
  const steps = Array.from({ length: 101 }, (_, i) => ease(i / 100));
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
});
