// A picture before and after, side by side.

import { el } from '../ui/dom.js';
import { significant, whole } from '../ui/format.js';
import type { DatasetSummary, PictureView as Pixels, RunSummary } from './protocol.js';
import { legend } from './sample_list.js';

/** A pixel of the picture, in its own coordinates. */
export interface Pixel {
  readonly row: number;
  readonly column: number;
}

export class PictureView {
  readonly #caption = el('figcaption');
  readonly #sides: readonly { canvas: HTMLCanvasElement; mark: HTMLElement }[];
  readonly #panes: readonly HTMLElement[];
  #height = 1;
  #width = 1;

  /** @param onPoint - called with the pixel under the pointer; `isPick` when it is clicked */
  constructor(figure: HTMLElement, onPoint: (pixel: Pixel, isPick: boolean) => void) {
    this.#sides = ['before', 'after'].map((when) => ({
      canvas: el('canvas', { role: 'img', 'aria-label': `The picture ${when} normalization` }),
      mark: el('div', { class: 'picture-mark', 'aria-hidden': 'true', hidden: true }),
    }));
    this.#panes = this.#sides.map(({ canvas, mark }, i) => {
      const frame = el('div', { class: 'picture-frame' }, canvas, mark);
      const report = (event: MouseEvent, isPick: boolean) => {
        const { left, top, width, height } = canvas.getBoundingClientRect();
        const place = (at: number, from: number, extent: number, size: number) =>
          Math.min(size - 1, Math.max(0, Math.floor(((at - from) / extent) * size)));
        onPoint(
          {
            row: place(event.clientY, top, height, this.#height),
            column: place(event.clientX, left, width, this.#width),
          },
          isPick,
        );
      };
      frame.addEventListener('pointermove', (event) => report(event, false));
      frame.addEventListener('click', (event) => report(event, true));
      return el(
        'div',
        { class: 'picture-pane' },
        el('p', { class: 'pane-title' }, i === 0 ? 'Before' : 'After'),
        frame,
      );
    });
    figure.append(el('div', { class: 'pictures' }, ...this.#panes), this.#caption);
  }

  show(pixels: Pixels, dataset: DatasetSummary, { reach, after }: RunSummary): void {
    this.#height = dataset.axes[0]?.size ?? 1;
    this.#width = dataset.axes[1]?.size ?? 1;
    for (const [i, { canvas }] of this.#sides.entries()) {
      canvas.width = pixels.width;
      canvas.height = pixels.height;
      const data = i === 0 ? pixels.before : pixels.after;
      canvas.getContext('2d')?.putImageData(new ImageData(data, pixels.width, pixels.height), 0, 0);
      canvas.classList.toggle('enlarged', Math.max(pixels.width, pixels.height) < 256);
    }
    const clipped = Math.max(Math.abs(after.min), Math.abs(after.max)) > reach * 1.0001;
    const isGrey = dataset.axes.length < 3;
    const thinned =
      pixels.step > 1 ? ` One in ${pixels.step} rows and columns is drawn; all are computed.` : '';
    this.#caption.replaceChildren(
      el(
        'p',
        {},
        `${whole(this.#width)} × ${whole(this.#height)} pixels. After, 0 is mid-grey` +
          `${isGrey ? '' : ' in each channel'}.${thinned}`,
      ),
      legend('Before', 'grey', ['0', '255']),
      legend('After', 'grey', [
        `${clipped ? '≤ ' : ''}${significant(-reach, 3)}`,
        '0',
        `${clipped ? '≥ ' : ''}${significant(reach, 3)}`,
      ]),
    );
  }

  /** Frames the part of the picture that a sample covers. */
  mark(rows: readonly [number, number], columns: readonly [number, number]): void {
    const percent = (part: number, whole: number) => `${(part / whole) * 100}%`;
    for (const { mark } of this.#sides) {
      mark.hidden = false;
      mark.style.top = percent(rows[0], this.#height);
      mark.style.height = percent(rows[1] - rows[0], this.#height);
      mark.style.left = percent(columns[0], this.#width);
      mark.style.width = percent(columns[1] - columns[0], this.#width);
    }
  }
}
