// The losses of all steps, as few numbers as a chart needs: means over ever longer runs of steps.

export class History {
  readonly #most: number;
  #every = 1;
  #means: number[] = [];
  #sum = 0;
  #count = 0;

  /** @param most - how many numbers are kept at most; even */
  constructor(most = 512) {
    this.#most = most;
  }

  /** How many steps one number stands for. */
  get every(): number {
    return this.#every;
  }

  /** Means over the steps 1 to `every`, and so on; those of the last steps, fewer than `every`, are not among them. */
  get means(): Float64Array {
    return Float64Array.from(this.#means);
  }

  add(loss: number): void {
    this.#sum += loss;
    if (++this.#count < this.#every) return;
    this.#means.push(this.#sum / this.#every);
    this.#sum = this.#count = 0;
    if (this.#means.length < this.#most) return;
    this.#every *= 2;
    this.#means = Array.from(
      { length: this.#most / 2 },
      (_, i) => ((this.#means[2 * i] as number) + (this.#means[2 * i + 1] as number)) / 2,
    );
  }
}
