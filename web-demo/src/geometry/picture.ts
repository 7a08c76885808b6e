// The points in space, with the plane and circle, or the sphere, that a normalization brings them to.

import { Motion } from '../ui/motion.js';
import { onWidth, svg } from '../ui/plot.js';
import {
  type Camera,
  clamp,
  ellipsoidOutline,
  mix,
  mixCameras,
  type Projected,
  projector,
  towardsViewer,
} from '../ui/projection.js';
import type { MethodName, Step, Triple } from './protocol.js';
import { circlePoint, pointAt, RADIUS, toWorld } from './space.js';

export interface Scene {
  readonly method: MethodName;
  readonly step: Step;
  /** One after the other; the last one is one's own. */
  readonly points: ArrayLike<number>;
  /** Where the points were a step before; none at the first. */
  readonly before: ArrayLike<number> | undefined;
  /** Whether epsilon keeps a point from where the others go. */
  readonly isInside: readonly boolean[];
  /** What the last step does: to this scene, so 1 and 0 before it. */
  readonly gamma: Triple;
  readonly beta: Triple;
}

const [MOVE_MS, TURN_MS] = [600, 500];
/** What is at least seen around the origin, and the radius of the disc. */
const [LEAST_REACH, DISC] = [3.05, 2.7];
/** Degrees that a pixel turns. */
const DRAG = 0.4;
/** An axis that is seen shorter than this, in pixels, has no name. */
const LEAST_AXIS = 32;
/** Points of a curve. */
const CURVE = 96;
type At = (point: Triple) => Projected;

export class SpacePicture {
  readonly root = svg('svg', { class: 'space', 'aria-hidden': 'true' });
  readonly #move = new Motion();
  readonly #turn = new Motion();
  #width = 0;
  #camera: Camera;
  #scene: Scene | undefined;
  /** What is seen: on its way to the scene, or there. */
  #points: Float64Array = new Float64Array();
  #gamma: Triple = [1, 1, 1];
  #beta: Triple = [0, 0, 0];

  /** @param onTurn - called with the camera as a person turns it */
  constructor(box: HTMLElement, camera: Camera, onTurn: (camera: Camera) => void) {
    this.#camera = camera;
    box.append(this.root);
    onWidth(box, (width) => {
      this.#width = width;
      this.#draw();
    });
    this.#dragWith(onTurn);
  }

  /** @param moves - whether things go to their new places, or are there */
  show(scene: Scene, moves: boolean): void {
    this.#scene = scene;
    const [points, gamma, beta] = [this.#points, this.#gamma, this.#beta];
    const set = (t: number): void => {
      const way = (from: Triple, to: Triple) =>
        from.map((k, d) => mix(k, to[d] as number, t)) as unknown as Triple;
      this.#points = Float64Array.from(scene.points, (k, i) => mix(points[i] as number, k, t));
      this.#gamma = way(gamma, scene.gamma);
      this.#beta = way(beta, scene.beta);
      this.#draw();
    };
    if (moves && points.length === scene.points.length) this.#move.start(MOVE_MS, set);
    else {
      this.#move.stop();
      this.#points = Float64Array.from(scene.points);
      this.#gamma = scene.gamma;
      this.#beta = scene.beta;
      this.#draw();
    }
  }

  turnTo(camera: Camera, moves: boolean): void {
    const from = this.#camera;
    if (!moves) {
      this.#turn.stop();
      this.#camera = camera;
      this.#draw();
      return;
    }
    this.#turn.start(TURN_MS, (t) => {
      this.#camera = mixCameras(from, camera, t);
      this.#draw();
    });
  }

  #dragWith(onTurn: (camera: Camera) => void): void {
    let last: { x: number; y: number } | undefined;
    this.root.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.#turn.stop();
      this.root.setPointerCapture(event.pointerId);
      last = { x: event.clientX, y: event.clientY };
    });
    this.root.addEventListener('pointermove', ({ clientX: x, clientY: y }) => {
      if (!last) return;
      const { yaw, pitch } = this.#camera;
      const turned = yaw - (x - last.x) * DRAG;
      this.#camera = {
        yaw: ((((turned + 180) % 360) + 360) % 360) - 180,
        pitch: clamp(pitch + (y - last.y) * DRAG, -90, 90),
      };
      last = { x, y };
      this.#draw();
      onTurn(this.#camera);
    });
    for (const event of ['pointerup', 'pointercancel'] as const) {
      this.root.addEventListener(event, () => {
        last = undefined;
      });
    }
  }

  #draw(): void {
    const [scene, width] = [this.#scene, this.#width];
    if (!scene || width === 0) return;
    const height = Math.round(clamp(width * 0.72, 270, 560));
    const count = this.#points.length / 3;
    const lengths = Array.from({ length: count }, (_, i) => Math.hypot(...pointAt(this.#points, i)));
    const reach = Math.max(LEAST_REACH, Math.max(...lengths) * 1.06);
    const scale = Math.min(width, height) / 2 / reach;
    const project = projector(this.#camera);
    const at: At = (point) => {
      const { x, y, depth } = project(toWorld(point));
      return { x: width / 2 + x * scale, y: height / 2 + y * scale, depth };
    };
    const marks: SVGElement[] = [];
    const isLayer = scene.method === 'layer';

    const [behind, before] = this.#pointMarks(scene, at);
    marks.push(...axisMarks(at, reach));
    if (isLayer) {
      const [far, near] = this.#diagonal(at, reach);
      marks.push(far, ...behind, ...this.#plane(scene, at), near, ...before);
    } else marks.push(...behind, ...this.#sphere(scene, at, scale), ...before);
    marks.push(...labelMarks(at, reach, isLayer));

    this.root.replaceChildren(...marks);
    for (const [name, value] of Object.entries({
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      'data-scale': scale.toFixed(4),
      'data-yaw': this.#camera.yaw.toFixed(1),
      'data-pitch': this.#camera.pitch.toFixed(1),
    })) {
      this.root.setAttribute(name, String(value));
    }
    this.root.toggleAttribute('data-moving', this.#move.isMoving || this.#turn.isMoving);
  }

  /** The points that lie behind the disc or the middle of the sphere, and those before. The nearer, the larger. */
  #pointMarks({ method, before, isInside, step }: Scene, at: At): [SVGElement[], SVGElement[]] {
    const sides: [SVGElement[], SVGElement[]] = [[], []];
    const [vx, vy, vz] = towardsViewer(this.#camera);
    const isAbove = vx + vy + vz >= 0;
    const count = this.#points.length / 3;
    const order = Array.from({ length: count }, (_, i) => {
      const point = pointAt(this.#points, i);
      return { i, point, p: at(point) };
    }).sort((a, b) => Number(a.i === count - 1) - Number(b.i === count - 1) || a.p.depth - b.p.depth);
    for (const { i, point, p } of order) {
      const isOwn = i === count - 1;
      const height = point[0] + point[1] + point[2];
      const isBehind = method === 'layer' ? step === 0 && (isAbove ? height < 0 : height > 0) : p.depth < 0;
      const side = sides[isBehind ? 0 : 1];
      if (before) {
        const from = at(pointAt(before, i));
        side.push(
          svg('line', {
            class: isOwn ? 'trail own' : 'trail',
            x1: from.x.toFixed(2),
            y1: from.y.toFixed(2),
            x2: p.x.toFixed(2),
            y2: p.y.toFixed(2),
          }),
        );
      }
      const radius = clamp(3.75 + p.depth * 0.45, 2.5, 5.5) + (isOwn ? 2.25 : 0);
      side.push(
        svg('circle', {
          class: `point${isOwn ? ' own' : ''}${isInside[i] ? ' inside' : ''}`,
          cx: p.x.toFixed(2),
          cy: p.y.toFixed(2),
          r: radius.toFixed(2),
        }),
      );
      if (isOwn) side.push(svg('text', { class: 'space-name own', x: p.x + 11, y: p.y - 9 }, 'your point'));
    }
    return sides;
  }

  /** The half of (1, 1, 1) that the disc hides in part, and the one before it. */
  #diagonal(at: At, reach: number): [SVGElement, SVGElement] {
    const [vx, vy, vz] = towardsViewer(this.#camera);
    const end = (reach * 0.93) / RADIUS;
    const half = (k: number): SVGElement => {
      const [from, to] = [at([0, 0, 0]), at([k, k, k])];
      return svg('line', { class: 'diagonal', x1: from.x, y1: from.y, x2: to.x, y2: to.y });
    };
    return vx + vy + vz >= 0 ? [half(-end), half(end)] : [half(end), half(-end)];
  }

  #plane({ step }: Scene, at: At): SVGElement[] {
    const curve = (radius: number, gamma: Triple, beta: Triple): string =>
      pathOf(
        Array.from({ length: CURVE }, (_, i) =>
          at(transformed(circlePoint((2 * Math.PI * i) / CURVE, radius), gamma, beta)),
        ),
      );
    const [one, none]: [Triple, Triple] = [
      [1, 1, 1],
      [0, 0, 0],
    ];
    const marks = [
      svg('path', { class: 'disc', d: curve(DISC, one, none) }),
      svg('path', { class: `goal${step === 2 ? ' reached' : ''}`, d: curve(RADIUS, one, none) }),
    ];
    if (!isNeutral(this.#gamma, this.#beta)) {
      marks.push(svg('path', { class: 'image', d: curve(RADIUS, this.#gamma, this.#beta) }));
    }
    return marks;
  }

  #sphere({ step }: Scene, at: At, scale: number): SVGElement[] {
    const ball = (gamma: Triple, name: string): SVGElement[] => {
      const origin = at([0, 0, 0]);
      const stretch = toWorld(gamma.map((k) => k * RADIUS) as unknown as Triple);
      const outline = ellipsoidOutline(projector(this.#camera), stretch, CURVE).map(({ x, y }) => ({
        x: origin.x + x * scale,
        y: origin.y + y * scale,
        depth: 0,
      }));
      const wires = [0, 1, 2].map((d) => {
        const circle = Array.from({ length: CURVE + 1 }, (_, i) => {
          const [c, s] = [Math.cos((2 * Math.PI * i) / CURVE), Math.sin((2 * Math.PI * i) / CURVE)];
          const p = [c, s, 0].map((k) => k * RADIUS);
          return at(
            transformed([p[d], p[(d + 1) % 3], p[(d + 2) % 3]] as unknown as Triple, gamma, [0, 0, 0]),
          );
        });
        return svg('path', { class: `wire ${name}`, d: frontOf(circle) });
      });
      return [svg('path', { class: name, d: pathOf(outline) }), ...wires];
    };
    return [
      ...ball([1, 1, 1], `goal ball${step === 2 ? ' reached' : ''}`),
      ...(isNeutral(this.#gamma, this.#beta) ? [] : ball(this.#gamma, 'image ball')),
    ];
  }
}

function isNeutral(gamma: Triple, beta: Triple): boolean {
  return gamma.every((k) => k === 1) && beta.every((k) => k === 0);
}

function transformed(point: Triple, gamma: Triple, beta: Triple): Triple {
  return point.map((k, d) => k * (gamma[d] as number) + (beta[d] as number)) as unknown as Triple;
}

function pathOf(points: readonly Projected[]): string {
  return `M${points.map(({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`).join('L')}Z`;
}

/** The part of a curve that is on the near side. */
function frontOf(points: readonly Projected[]): string {
  let path = '';
  let isDrawing = false;
  for (const { x, y, depth } of points) {
    if (depth >= 0) path += `${isDrawing ? 'L' : 'M'}${x.toFixed(2)} ${y.toFixed(2)}`;
    isDrawing = depth >= 0;
  }
  return path;
}

function axisMarks(at: At, reach: number): SVGElement[] {
  return [0, 1, 2].map((d) => {
    const end = (k: number): Projected => at([0, 1, 2].map((i) => (i === d ? k : 0)) as unknown as Triple);
    const [from, to] = [end(-reach * 0.86), end(reach * 0.86)];
    return svg('line', { class: 'space-axis', x1: from.x, y1: from.y, x2: to.x, y2: to.y });
  });
}

function labelMarks(at: At, reach: number, hasDiagonal: boolean): SVGElement[] {
  const origin = at([0, 0, 0]);
  const label = (point: Triple, name: string): SVGElement[] => {
    const p = at(point);
    // Of an axis that points at the viewer, the name would stand in the middle of everything.
    if (Math.hypot(p.x - origin.x, p.y - origin.y) < LEAST_AXIS) return [];
    return [svg('text', { class: 'space-name', x: p.x.toFixed(2), y: p.y.toFixed(2) }, name)];
  };
  const [k, end] = [reach * 0.92, (reach * 0.99) / RADIUS];
  return [
    ...label([k, 0, 0], 'x₁'),
    ...label([0, k, 0], 'x₂'),
    ...label([0, 0, k], 'x₃'),
    ...(hasDiagonal ? label([end, end, end], '(1, 1, 1)') : []),
  ];
}
