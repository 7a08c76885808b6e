// Which cells share a statistic: x as a block of cubes that turns to where the group in focus is best seen.

import { type Layout, spansOf } from '../../compute/groups.js';
import { hasBatch } from '../../parse/dataset.js';
import { byId } from '../../ui/dom.js';
import { Motion } from '../../ui/motion.js';
import { onWidth, svg } from '../../ui/plot.js';
import { type Camera, clamp, mixCameras, type Projected, projector, type Vec3 } from '../../ui/projection.js';
import type { DatasetSummary, Settings } from '../protocol.js';
import {
  type Block,
  bestCamera,
  blockOf,
  type Cube,
  type Face,
  isBefore,
  paintOrder,
  type Way,
} from './block.js';
import { captionOf, edgeLabel } from './caption.js';
import './figure.css';

/** How long the block takes to turn after a choice, and by a button. */
const [TURN_MS, NUDGE_MS] = [550, 250];
/** Degrees: what a button turns, what a pixel turns, and how far one can go around; the top always stays in sight. */
const [NUDGE, DRAG] = [20, 0.5];
const [MOST_YAW, LEAST_PITCH, MOST_PITCH] = [80, 6, 72];
/** In pixels: the largest cube, the height of a label and the width of a letter in it, and what is left free around things. */
const [LARGEST_CUBE, LABEL_HEIGHT, LETTER, GAP] = [44, 14, 6.5, 5];
/** Where the dots that stand for more are, beyond the end of an edge, in cubes. */
const DOTS = [0.3, 0.6, 0.9];

const FACES: readonly Face[] = ['front', 'side', 'top'];

interface Drawn {
  readonly group: SVGGElement;
  readonly paths: ReadonlyMap<Face, SVGPathElement>;
}

/** An edge of the block that something is written at. */
interface Edge {
  readonly way: Way;
  readonly from: Vec3;
  readonly to: Vec3;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export class SharingFigure {
  readonly #picture = byId('sharing-picture');
  readonly #caption = byId('sharing-caption');
  readonly #key = byId('sharing-key');
  readonly #cubes = svg('g');
  readonly #marks = svg('g');
  readonly #labels = svg('g');
  readonly #svg = svg('svg', { class: 'sharing-block' }, patterns(), this.#labels, this.#cubes, this.#marks);
  readonly #motion = new Motion();
  readonly #drawn = new Map<Cube, Drawn>();
  readonly #texts = new Map<Way, string>();
  #width = 0;
  #block: Block | undefined;
  #camera: Camera = { yaw: 30, pitch: 24 };
  /** What is drawn, and what has been chosen: another choice turns the block, other data are another block. */
  #data = '';
  #choice = '';
  /** Says when the cubes have to be put in order again. */
  #order = '';

  constructor() {
    this.#picture.append(this.#svg);
    onWidth(this.#picture, (width) => {
      this.#width = width;
      this.#draw();
    });
    byId('sharing-left').addEventListener('click', () => this.#nudge(NUDGE));
    byId('sharing-right').addEventListener('click', () => this.#nudge(-NUDGE));
    this.#dragWith(this.#svg);
  }

  show(dataset: DatasetSummary, layout: Layout, settings: Settings, group: number, position: number): void {
    const { axes } = dataset;
    const block = blockOf(axes, layout, hasBatch(dataset), group, position, this.#block);
    this.#block = block;
    this.#order = '';
    this.#texts.clear();
    for (const way of ['across', 'down', 'deep'] as const) {
      const { dims } = block.sides[way];
      if (dims.length > 0) this.#texts.set(way, edgeLabel(axes, dims));
    }
    const caption = captionOf(dataset, layout, settings, block, group, position);
    this.#caption.textContent = caption.says;
    this.#key.textContent = caption.draws;
    byId('sharing').hidden = false;

    const shape = axes.map(({ size }) => size);
    const data = JSON.stringify([dataset.name, shape]);
    const choice = JSON.stringify([settings.method, spansOf(layout, 0)]);
    if (data !== this.#data) {
      this.#motion.stop();
      this.#camera = bestCamera(block);
    } else if (choice !== this.#choice) this.#turnTo(bestCamera(block), TURN_MS);
    this.#data = data;
    this.#choice = choice;
    this.#draw();
  }

  hide(): void {
    byId('sharing').hidden = true;
    this.#data = '';
    this.#block = undefined;
  }

  #turnTo(camera: Camera, milliseconds: number): void {
    const from = this.#camera;
    this.#motion.start(milliseconds, (t) => {
      this.#camera = mixCameras(from, camera, t);
      this.#draw();
    });
  }

  #nudge(degrees: number): void {
    const yaw = clamp(this.#camera.yaw + degrees, -MOST_YAW, MOST_YAW);
    this.#turnTo({ ...this.#camera, yaw }, NUDGE_MS);
  }

  #dragWith(target: SVGSVGElement): void {
    let last: { x: number; y: number } | undefined;
    target.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.#motion.stop();
      target.setPointerCapture(event.pointerId);
      last = { x: event.clientX, y: event.clientY };
    });
    target.addEventListener('pointermove', ({ clientX: x, clientY: y }) => {
      if (!last) return;
      const { yaw, pitch } = this.#camera;
      this.#camera = {
        yaw: clamp(yaw - (x - last.x) * DRAG, -MOST_YAW, MOST_YAW),
        pitch: clamp(pitch + (y - last.y) * DRAG, LEAST_PITCH, MOST_PITCH),
      };
      last = { x, y };
      this.#draw();
    });
    for (const event of ['pointerup', 'pointercancel'] as const) {
      target.addEventListener(event, () => {
        last = undefined;
      });
    }
  }

  #draw(): void {
    const [block, width] = [this.#block, this.#width];
    if (!block || width === 0) return;
    const camera = this.#camera;
    const side = camera.yaw < 0 ? 'left' : 'right';
    if (this.#order !== side) {
      this.#order = side;
      this.#arrange(block);
    }
    const height = Math.round(clamp(width * 0.8, 220, 420));
    const { scale, x, y, labels } = this.#fit(block, width, height);
    const project = projector(camera);
    const at = (point: Vec3): Projected => {
      const p = project(point);
      return { x: x + p.x * scale, y: y + p.y * scale, depth: p.depth };
    };
    const outlines = facesOf(camera, scale);
    for (const [{ centre }, { group, paths }] of this.#drawn) {
      const p = at(centre);
      group.setAttribute('transform', `translate(${p.x.toFixed(2)} ${p.y.toFixed(2)})`);
      for (const [face, path] of paths) path.setAttribute('d', outlines[face]);
    }
    this.#markFocus(block, outlines, at, scale);

    const written: SVGElement[] = [];
    for (const { edge, box, isUpright } of labels) {
      const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
      written.push(
        svg(
          'text',
          {
            x: cx.toFixed(2),
            y: cy.toFixed(2),
            transform: isUpright ? `rotate(-90 ${cx.toFixed(2)} ${cy.toFixed(2)})` : undefined,
            'data-way': edge.way,
          },
          this.#texts.get(edge.way) ?? '',
        ),
      );
      for (const point of dotsOf(edge, block)) {
        const p = at(point);
        written.push(svg('circle', { class: 'share-more', cx: p.x.toFixed(2), cy: p.y.toFixed(2), r: 1.75 }));
      }
    }
    this.#labels.replaceChildren(...written);

    const root = this.#svg;
    root.setAttribute('width', String(width));
    root.setAttribute('height', String(height));
    root.setAttribute('viewBox', `0 0 ${width} ${height}`);
    root.dataset.yaw = camera.yaw.toFixed(1);
    root.dataset.pitch = camera.pitch.toFixed(1);
    root.dataset.facing = block.facing;
    root.toggleAttribute('data-turning', this.#motion.isMoving);
  }

  /** Marks the cell in focus on those of its faces that are seen; wherever it is, the mark is on top. */
  #markFocus(
    block: Block,
    outlines: Record<Face, string>,
    at: (point: Vec3) => Projected,
    scale: number,
  ): void {
    const focus = block.cubes.find(({ isFocus }) => isFocus);
    if (!focus) return;
    const faces = [...(this.#drawn.get(focus)?.paths.keys() ?? [])];
    const [x, y, z] = focus.centre;
    const side = this.#camera.yaw < 0 ? -0.5 : 0.5;
    const middles: Record<Face, Vec3> = {
      front: [x, y, z + 0.5],
      side: [x + side, y, z],
      top: [x, y + 0.5, z],
    };
    const wanted = block.facing === 'all' ? 'front' : block.facing;
    const shown = faces.includes(wanted) ? wanted : (faces[0] ?? wanted);
    const outline = faces.length > 0 ? faces.map((face) => outlines[face]).join('') : outlines[wanted];
    const transformTo = (point: Vec3): string => {
      const p = at(point);
      return `translate(${p.x.toFixed(2)} ${p.y.toFixed(2)})`;
    };
    const [centre, middle] = [transformTo(focus.centre), transformTo(middles[shown])];
    this.#marks.replaceChildren(
      svg('path', { class: 'share-halo', d: outline, transform: centre }),
      svg('path', { class: 'share-mark', d: outline, transform: centre }),
      svg('circle', { class: 'share-dot', r: clamp(scale * 0.16, 2, 5).toFixed(2), transform: middle }),
    );
  }

  /** Makes the cubes, or gives those that are there their new roles, which then fade into each other. */
  #arrange(block: Block): void {
    const isClear = (cube: Cube): boolean => isBefore(block, cube, this.#camera);
    const order = paintOrder(block, this.#camera, isClear);
    const old = [...this.#drawn.values()];
    const isAlike =
      old.length === order.length && order.every(({ cube }, i) => old[i]?.group.id === idOf(cube));
    this.#drawn.clear();
    order.forEach(({ cube, faces }, i) => {
      const before = isAlike ? (old[i] as Drawn) : undefined;
      const group = before?.group ?? svg('g', { id: idOf(cube) });
      const { isSame, isFocus, isOdd } = cube;
      const roles = { same: isSame, chosen: isFocus, odd: isOdd, clear: isClear(cube) };
      const names = Object.entries(roles).flatMap(([name, has]) => (has ? [name] : []));
      group.setAttribute('class', ['share-cell', ...names].join(' '));
      group.dataset.index = cube.index.join();
      group.dataset.group = String(cube.group);
      const paths = new Map<Face, SVGPathElement>();
      for (const face of FACES) {
        if (!faces.includes(face)) continue;
        const path = before?.paths.get(face) ?? svg('path', { class: face });
        if (isSame) path.setAttribute('fill', `url(#share-${face})`);
        else path.removeAttribute('fill');
        paths.set(face, path);
      }
      group.replaceChildren(...paths.values());
      this.#drawn.set(cube, { group, paths });
    });
    if (!isAlike) this.#cubes.replaceChildren(...[...this.#drawn.values()].map(({ group }) => group));
  }

  /** The largest scale at which the block and what is written at its edges have room. */
  #fit(block: Block, width: number, height: number) {
    const project = projector(this.#camera);
    const edges = edgesOf(block, this.#camera).filter(({ way }) => this.#texts.has(way));
    const [hx, hy, hz] = block.half;
    const corners = [-1, 1].flatMap((i) =>
      [-1, 1].flatMap((j) => [-1, 1].map((k) => project([i * hx, j * hy, k * hz]))),
    );
    const dots = edges.flatMap((edge) => dotsOf(edge, block).map(project));
    const at = (scale: number) => {
      const labels = edges.map((edge) => this.#labelAt(edge, project, scale));
      const points = [...corners, ...dots].map((p) => ({
        x: p.x * scale,
        y: p.y * scale,
        width: 0,
        height: 0,
      }));
      const all: Box[] = [...points, ...labels.map(({ box }) => box)];
      const left = Math.min(...all.map(({ x }) => x)) - GAP;
      const top = Math.min(...all.map(({ y }) => y)) - GAP;
      const right = Math.max(...all.map(({ x, width }) => x + width)) + GAP;
      const bottom = Math.max(...all.map(({ y, height }) => y + height)) + GAP;
      return { labels, left, top, width: right - left, height: bottom - top };
    };
    let [low, high] = [1, LARGEST_CUBE];
    for (let i = 0; i < 12; i++) {
      const middle = (low + high) / 2;
      const needed = at(middle);
      if (needed.width <= width && needed.height <= height) low = middle;
      else high = middle;
    }
    const needed = at(low);
    const x = (width - needed.width) / 2 - needed.left;
    const y = (height - needed.height) / 2 - needed.top;
    const labels = needed.labels.map(({ box, ...rest }) => ({
      ...rest,
      box: { ...box, x: box.x + x, y: box.y + y },
    }));
    return { scale: low, x, y, labels };
  }

  /** Beside the middle of its edge, on the side away from the block. What goes down is written upwards, to take less room. */
  #labelAt(edge: Edge, project: (point: Vec3) => Projected, scale: number) {
    const [from, to] = [project(edge.from), project(edge.to)];
    const [x, y] = [((from.x + to.x) / 2) * scale, ((from.y + to.y) / 2) * scale];
    const isUpright = edge.way === 'down';
    const long = (this.#texts.get(edge.way) ?? '').length * LETTER;
    const [width, height] = isUpright ? [LABEL_HEIGHT, long] : [long, LABEL_HEIGHT];
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = Math.hypot(dx, dy) || 1;
    // Across the edge, downwards; of the one that goes down, to the left.
    const sign = isUpright ? -Math.sign(dy) || 1 : Math.sign(dx) || 1;
    const [nx, ny] = isUpright ? [-1, 0] : [(-dy / length) * sign, (dx / length) * sign];
    const away = GAP + (width / 2) * Math.abs(nx) + (height / 2) * Math.abs(ny);
    const box: Box = { x: x + nx * away - width / 2, y: y + ny * away - height / 2, width, height };
    return { edge, box, isUpright };
  }
}

function idOf({ at }: Cube): string {
  return `share-${at.deep}-${at.down}-${at.across}`;
}

/** The edges that lie on the outline: below the front, at the far left, and below the side that is seen. */
function edgesOf({ half: [x, y, z] }: Block, { yaw }: Camera): Edge[] {
  const left = yaw < 0 ? -z : z;
  const side = yaw < 0 ? -x : x;
  return [
    { way: 'across', from: [-x, -y, z], to: [x, -y, z] },
    { way: 'down', from: [-x, y, left], to: [-x, -y, left] },
    { way: 'deep', from: [side, -y, z], to: [side, -y, -z] },
  ];
}

/** Beyond the ends of an edge where there is more than what is drawn. */
function dotsOf({ way, from, to }: Edge, { sides }: Block): Vec3[] {
  const { first, count, size } = sides[way];
  const length = Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
  const beyond = (end: Vec3, sign: number): Vec3[] =>
    DOTS.map(
      (d) =>
        end.map(
          (k, i) => k + (sign * d * ((to[i] as number) - (from[i] as number))) / length,
        ) as unknown as Vec3,
    );
  return [...(first > 0 ? beyond(from, -1) : []), ...(first + count < size ? beyond(to, 1) : [])];
}

function pathOf(points: readonly Projected[], scale: number): string {
  return `M${points.map(({ x, y }) => `${(x * scale).toFixed(2)} ${(y * scale).toFixed(2)}`).join('L')}Z`;
}

/** The outlines of the faces of a cube around its centre. All cubes have the same: nothing gets smaller far away. */
function facesOf(camera: Camera, scale: number): Record<Face, string> {
  const project = projector(camera);
  const side = camera.yaw < 0 ? -0.5 : 0.5;
  const square = (corner: (a: number, b: number) => Vec3): string =>
    pathOf([corner(-0.5, -0.5), corner(0.5, -0.5), corner(0.5, 0.5), corner(-0.5, 0.5)].map(project), scale);
  return {
    front: square((a, b) => [a, b, 0.5]),
    top: square((a, b) => [a, 0.5, b]),
    side: square((a, b) => [side, a, b]),
  };
}

/** Fills of the cubes of the group: hatched, so that they do not depend on their colour. */
function patterns(): SVGDefsElement {
  return svg(
    'defs',
    {},
    ...FACES.map((face) =>
      svg(
        'pattern',
        {
          id: `share-${face}`,
          class: `share-hatch ${face}`,
          width: 6,
          height: 6,
          patternUnits: 'userSpaceOnUse',
          patternTransform: 'rotate(45)',
        },
        svg('rect', { width: 6, height: 6 }),
        svg('line', { x1: 0, y1: 0, x2: 0, y2: 6 }),
      ),
    ),
  );
}
