// The page's side of a worker.

import type { Failure, Message, Reply, RequestMap } from './service.js';

/** What went wrong in the worker. `code` is that of a LayerNormError. */
export class WorkError extends Error {
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

interface RequestOptions {
  readonly onProgress?: (fraction: number) => void;
  /** Asks the service to stop; the promise is rejected with what the service makes of it, or settles as if nothing had been. */
  readonly signal?: AbortSignal;
}

export class WorkClient<Requests extends RequestMap, Event = never> {
  readonly #service: string;
  readonly #onEvent: (event: Event) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  /**
   * @param service - the name that worker/worker.ts knows it by
   * @param onEvent - called with what the service says beside its answers
   */
  constructor(service: string, onEvent: (event: Event) => void = () => {}) {
    this.#service = service;
    this.#onEvent = onEvent;
  }

  /** Starts the worker if there is none yet. */
  request<Name extends keyof Requests & string>(
    name: Name,
    takes: Requests[Name]['takes'],
    { onProgress, signal }: RequestOptions = {},
  ): Promise<Requests[Name]['gives']> {
    const worker = this.#started();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      const message: Message = { kind: 'request', id, name, takes };
      worker.postMessage(message);
      signal?.addEventListener('abort', () => worker.postMessage({ kind: 'abort', id } satisfies Message));
    });
  }

  /** Ends the worker, whatever it is doing; requests that wait are rejected. The next request starts another one. */
  stop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#rejectAll({ name: 'AbortError', message: 'The work was cancelled.' });
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data: reply }: MessageEvent<Reply>) => this.#receive(reply));
    // The worker itself is broken: its script did not load, or memory ran out.
    worker.addEventListener('error', ({ message }) => {
      this.#rejectAll({
        name: 'Error',
        message: `The worker that computes has stopped${message ? `: ${message}` : ''}. Reload the page to go on.`,
      });
    });
    worker.postMessage({ kind: 'start', service: this.#service } satisfies Message);
    this.#worker = worker;
    return worker;
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'event') {
      this.#onEvent(reply.event as Event);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (reply.kind === 'progress') {
      waiting?.onProgress?.(reply.fraction);
      return;
    }
    this.#waiting.delete(reply.id);
    if (reply.kind === 'done') waiting?.resolve(reply.gives as never);
    else waiting?.reject(new WorkError(reply.failure));
  }

  #rejectAll(failure: Failure): void {
    for (const { reject } of this.#waiting.values()) reject(new WorkError(failure));
    this.#waiting.clear();
  }
}
