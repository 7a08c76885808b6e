// Changes of the data that the worker holds, and how to take them back.

import type { Floats } from '../../compute/kernels.js';
import type { Numbers } from '../../parse/dataset.js';
import type { Change, History } from './protocol.js';

/** Steps that can be taken back, and elements that are kept for them, at most. */
const [MAX_STEPS, MAX_KEPT] = [200, 16_000_000];

/** What stood somewhere before a change. */
interface Patch {
  readonly start: number;
  readonly before: Floats;
}

export class Edits {
  readonly data: Floats;
  readonly #original: Floats;
  readonly #patches: Patch[] = [];

  /** @param opened - data as they were opened; integers become float32 */
  constructor(opened: Numbers) {
    this.#original = toFloats(opened);
    this.data = this.#original.slice() as Floats;
  }

  get history(): History {
    return {
      undos: this.#patches.length,
      isChanged: this.data.some((value, i) => !Object.is(value, this.#original[i])),
    };
  }

  /**
   * @param size - elements of a sample
   * @param goesOn - whether the change takes the place of the last one
   */
  apply(change: Change, size: number, goesOn: boolean): void {
    switch (change.kind) {
      case 'set':
        this.#keep(change.index, 1, goesOn);
        this.data[change.index] = change.value;
        return;
      case 'shift':
      case 'scale': {
        const start = change.sample * size;
        this.#keep(start, size, goesOn);
        for (let i = start; i < start + size; i++) {
          const value = this.data[i] as number;
          this.data[i] = change.kind === 'shift' ? value + change.by : value * change.by;
        }
        return;
      }
      case 'undo':
        this.undo();
        return;
      case 'reset':
        this.#keep(0, this.data.length, false);
        this.data.set(this.#original);
    }
  }

  undo(): void {
    const patch = this.#patches.pop();
    if (patch) this.data.set(patch.before, patch.start);
  }

  #keep(start: number, length: number, goesOn: boolean): void {
    if (goesOn && this.#patches.at(-1)?.start === start && this.#patches.at(-1)?.before.length === length)
      return;
    this.#patches.push({ start, before: this.data.slice(start, start + length) as Floats });
    const kept = () => this.#patches.reduce((total, { before }) => total + before.length, 0);
    while (this.#patches.length > MAX_STEPS || (this.#patches.length > 1 && kept() > MAX_KEPT)) {
      this.#patches.shift();
    }
  }
}

function toFloats(numbers: Numbers): Floats {
  return numbers instanceof Float64Array ? numbers : Float32Array.from(numbers);
}
