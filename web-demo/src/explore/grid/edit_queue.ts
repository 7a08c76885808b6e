// Changes on their way to the worker: one after the other, and of a drag only the newest.

import type { Change } from './protocol.js';

interface Waiting {
  change: Change;
  goesOn: boolean;
}

export class EditQueue {
  readonly #send: (change: Change, goesOn: boolean) => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #isSending = false;

  /** @param send - makes a change and shows what comes of it; does not throw */
  constructor(send: (change: Change, goesOn: boolean) => Promise<void>) {
    this.#send = send;
  }

  push(change: Change, goesOn: boolean): void {
    const last = this.#waiting.at(-1);
    if (last && goesOn && last.change.kind === 'set' && change.kind === 'set') last.change = change;
    else this.#waiting.push({ change, goesOn });
    if (!this.#isSending) void this.#work();
  }

  /** What waits is about other data now. */
  clear(): void {
    this.#waiting.length = 0;
  }

  async #work(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      await this.#send(next.change, next.goesOn);
      // What came of it is drawn before the next one is made, so that a drag moves once a frame.
      if (next.goesOn) await new Promise((resume) => requestAnimationFrame(resume));
    }
    this.#isSending = false;
  }
}
