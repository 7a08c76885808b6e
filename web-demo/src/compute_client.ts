// The page's side of the worker.

import type { Failure, Reply, Request, RequestName, Requests } from './protocol.js';

/** What went wrong in the worker. `code` is that of a LayerNormError. */
export class ComputeError extends Error {
  readonly code: string | undefined;

  constructor({ name, message, code }: Failure) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: ((fraction: number) => void) | undefined;
}

/** What the worker finds out about a result after it has been shown. */
export type Finding = Extract<Reply, { kind: 'checked' | 'timed' }>;

export class ComputeClient {
  readonly #worker = new Worker(new URL('./compute_worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** @param onFinding - called while a result is being compared with the reference, and when it has been timed */
  constructor(onFinding: (finding: Finding) => void) {
    this.#worker.addEventListener('message', ({ data: reply }: MessageEvent<Reply>) => {
      if (reply.kind === 'checked' || reply.kind === 'timed') return onFinding(reply);
      const waiting = this.#waiting.get(reply.id);
      if (reply.kind === 'progress') return waiting?.onProgress?.(reply.fraction);
      this.#waiting.delete(reply.id);
      if (reply.kind === 'done') waiting?.resolve(reply.gives as never);
      else waiting?.reject(new ComputeError(reply.failure));
    });
    // The worker itself is broken: its script did not load, or memory ran out.
    this.#worker.addEventListener('error', ({ message }) => {
      const error = new ComputeError({
        name: 'Error',
        message: `The worker that computes has stopped${message ? `: ${message}` : ''}. Reload the page to go on.`,
      });
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  request<Name extends RequestName>(
    name: Name,
    takes: Requests[Name]['takes'],
    onProgress?: (fraction: number) => void,
  ): Promise<Requests[Name]['gives']> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, name, takes } as Request);
    });
  }
}
