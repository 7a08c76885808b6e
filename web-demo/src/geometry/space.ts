// The space of three numbers: its points, and the plane, circle and sphere in it.

import type { Vec3 } from '../ui/projection.js';
import type { Points, Triple } from './protocol.js';

/** Where normalized points lie: n numbers of mean square 1 are at a distance of the root of n. */
export const RADIUS = Math.sqrt(3);

/** Points around one's own: most anywhere, some of nearly equal numbers, some near the origin. */
const [ANYWHERE, NEAR_AXIS, NEAR_ORIGIN] = [20, 6, 4];
export const CLOUD = ANYWHERE + NEAR_AXIS + NEAR_ORIGIN;

/** The first coordinate towards the viewer, the second to the right, the third up. */
export function toWorld([a, b, c]: Triple): Vec3 {
  return [b, c, a];
}

export function pointAt(points: ArrayLike<number>, i: number): Triple {
  return [points[3 * i] as number, points[3 * i + 1] as number, points[3 * i + 2] as number];
}

/** Always the same points for the same seed. */
export function cloudOf(seed: number): Points {
  const random = mulberry32(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const points: number[] = [];
  for (let i = 0; i < CLOUD; i++) {
    if (i < ANYWHERE) {
      const p = [0.6 + 1.1 * normal(), 0.3 + 1.1 * normal(), 0.4 + 1.1 * normal()];
      const length = Math.hypot(...p);
      points.push(...p.map((k) => (length > 3 ? (k * 3) / length : k)));
      continue;
    }
    const isOnAxis = i < ANYWHERE + NEAR_AXIS;
    const along = isOnAxis ? -1.4 + (2.8 * (i - ANYWHERE + random())) / NEAR_AXIS : 0;
    const away = isOnAxis ? 0.015 * 2 ** (i - ANYWHERE) : 0.02 * 3 ** (i - ANYWHERE - NEAR_AXIS);
    points.push(...[0, 1, 2].map(() => along + away * normal()));
  }
  return Float32Array.from(points);
}

/** A point of the circle of normalized points in the plane where three numbers sum to 0. */
export function circlePoint(angle: number, radius = RADIUS): Triple {
  const [c, s] = [(radius * Math.cos(angle)) / Math.SQRT2, (radius * Math.sin(angle)) / Math.sqrt(6)];
  return [c + s, -c + s, -2 * s];
}

/** A small generator of pseudo-random numbers by Tommy Ettinger, in the public domain. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
