// The plane as a classifier sees it, with the points that it learns from.

import { divergingScale } from '../ui/colors.js';
import { el } from '../ui/dom.js';
import { onWidth } from '../ui/plot.js';
import { GRID, REACH } from './grid.js';

/** Half the size of a point, in parts of the picture, and at least in CSS pixels. */
const [RADIUS, LEAST_RADIUS] = [0.0075, 1.4];
/** How strong the colours are, so that points stand out from them. */
const STRENGTH = 0.72;

export class MapChart {
  readonly element: HTMLCanvasElement;
  readonly #cells = new OffscreenCanvas(GRID, GRID);
  #shown: { map: Float32Array; places: Float32Array; classes: Uint8Array } | undefined;

  constructor() {
    this.element = el('canvas', { class: 'map', 'aria-hidden': 'true' });
    onWidth(this.element, () => this.redraw());
  }

  /** @param map - how likely class 1 is, from 0 to 1, in the cells of the grid */
  show(map: Float32Array, points: { places: Float32Array; classes: Uint8Array }): void {
    this.#shown = { map, ...points };
    this.redraw();
  }

  redraw(): void {
    const size = this.element.clientWidth;
    const context = this.element.getContext('2d');
    const cells = this.#cells.getContext('2d');
    if (!this.#shown || size === 0 || !context || !cells) return;
    const { map, places, classes } = this.#shown;
    const colourOf = divergingScale(1);
    const picture = cells.createImageData(GRID, GRID);
    map.forEach((likelihood, i) => {
      picture.data.set([...colourOf(STRENGTH * (2 * likelihood - 1)), 255], 4 * i);
    });
    cells.putImageData(picture, 0, 0);
    const pixels = Math.round(size * devicePixelRatio);
    if (this.element.width !== pixels) this.element.width = this.element.height = pixels;
    context.setTransform(pixels / size, 0, 0, pixels / size, 0, 0);
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#cells, 0, 0, size, size);
    const { color, backgroundColor } = getComputedStyle(this.element);
    const radius = Math.max(LEAST_RADIUS, RADIUS * size);
    context.lineWidth = radius / 2;
    classes.forEach((one, i) => {
      const [x, y] = [places[2 * i] as number, places[2 * i + 1] as number].map(
        (value, axis) => (size * (1 + (axis ? -value : value) / REACH)) / 2,
      ) as [number, number];
      context.beginPath();
      if (one) context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      else context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = one ? color : backgroundColor;
      context.strokeStyle = one ? backgroundColor : color;
      context.fill();
      context.stroke();
    });
  }
}
