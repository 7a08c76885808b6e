// Things that move for a moment, after a choice. For whoever asked the system for less motion they are at their end at once.

import { ease } from './projection.js';

const stillness = matchMedia('(prefers-reduced-motion: reduce)');

export class Motion {
  #frame = 0;
  #isMoving = false;

  get isMoving(): boolean {
    return this.#isMoving;
  }

  /**
   * Ends a motion that goes on, and begins another.
   * @param draw - called with what is done of the way, from 0 to 1; the last call, which may be the only one, with 1
   */
  start(milliseconds: number, draw: (t: number) => void): void {
    this.stop();
    if (stillness.matches || document.hidden) {
      draw(1);
      return;
    }
    this.#isMoving = true;
    let begin: number | undefined;
    const step = (now: number): void => {
      begin ??= now;
      const t = Math.min(1, (now - begin) / milliseconds);
      if (t < 1) this.#frame = requestAnimationFrame(step);
      else this.#isMoving = false;
      draw(ease(t));
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** Leaves things where they are. */
  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#isMoving = false;
  }
}
