// Seeing three dimensions on a flat page: a camera that looks at the origin from far away, so that parallel lines stay parallel.

/** x to the right, y up, z towards whoever looks straight at the page. */
export type Vec3 = readonly [x: number, y: number, z: number];

/** From where one looks, in degrees: yaw around the y axis (90 from the right), pitch above the ground (90 from above). */
export interface Camera {
  readonly yaw: number;
  readonly pitch: number;
}

/** On the page: x to the right, y downwards, depth towards the viewer. */
export interface Projected {
  readonly x: number;
  readonly y: number;
  readonly depth: number;
}

export type Project = (point: Vec3) => Projected;

const RADIANS = Math.PI / 180;

export function projector({ yaw, pitch }: Camera): Project {
  const [sy, cy] = [Math.sin(yaw * RADIANS), Math.cos(yaw * RADIANS)];
  const [sp, cp] = [Math.sin(pitch * RADIANS), Math.cos(pitch * RADIANS)];
  return ([x, y, z]) => {
    const away = x * sy + z * cy;
    return { x: x * cy - z * sy, y: away * sp - y * cp, depth: away * cp + y * sp };
  };
}

/** Where the viewer is, as a vector of length 1. */
export function towardsViewer({ yaw, pitch }: Camera): Vec3 {
  const [sy, cy] = [Math.sin(yaw * RADIANS), Math.cos(yaw * RADIANS)];
  const [sp, cp] = [Math.sin(pitch * RADIANS), Math.cos(pitch * RADIANS)];
  return [sy * cp, sp, cy * cp];
}

/** The camera that looks along a direction, from its end towards the origin. */
export function cameraAt([x, y, z]: Vec3): Camera {
  return { yaw: Math.atan2(x, z) / RADIANS, pitch: Math.atan2(y, Math.hypot(x, z)) / RADIANS };
}

export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** A camera between two, the shorter way round. */
export function mixCameras(a: Camera, b: Camera, t: number): Camera {
  const turn = ((((b.yaw - a.yaw) % 360) + 540) % 360) - 180;
  return { yaw: a.yaw + turn * t, pitch: mix(a.pitch, b.pitch, t) };
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/**
 * Where the outline of an ellipsoid is seen: the points { stretch * u : |u| = 1 }, each axis stretched by a factor of its own.
 * An outline has few points where one looks at a flat ellipsoid from its edge.
 */
export function ellipsoidOutline(project: Project, stretch: Vec3, steps = 96): { x: number; y: number }[] {
  const columns = stretch.map((factor, d) => {
    const { x, y } = project([0, 1, 2].map((k) => (k === d ? factor : 0)) as unknown as Vec3);
    return [x, y] as const;
  });
  return Array.from({ length: steps }, (_, i) => {
    const [c, s] = [Math.cos((2 * Math.PI * i) / steps), Math.sin((2 * Math.PI * i) / steps)];
    // The point that is farthest in a direction of the page.
    const along = columns.map(([x, y]) => x * c + y * s);
    const length = Math.hypot(...along) || 1;
    return {
      x: columns.reduce((sum, [x], d) => sum + (x * (along[d] as number)) / length, 0),
      y: columns.reduce((sum, [, y], d) => sum + (y * (along[d] as number)) / length, 0),
    };
  });
}

/** Slow at both ends. */
export function ease(t: number): number {
  return t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
}
