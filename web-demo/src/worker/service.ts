// What a view and its worker say to each other. A service is a set of functions that run in a worker of the view's own.

/** Every kind of request of a service, with what it takes and what it gives. */
export type RequestMap = Record<string, { takes: unknown; gives: unknown }>;

/** One request, as the service sees it. */
export interface Call<Event = never> {
  /** Says which part of the work is done, from 0 to 1. */
  progress(fraction: number): void;
  /** Says something that is no answer, such as an intermediate result. */
  notify(event: Event): void;
  /** Aborted when the view no longer wants the answer. A service that works in slices looks at it between two of them. */
  readonly signal: AbortSignal;
}

/** The functions of a service, by the name of the request. */
export type Service<Requests, Event = never> = {
  [Name in keyof Requests]: Requests[Name] extends { takes: infer Takes; gives: infer Gives }
    ? (takes: Takes, call: Call<Event>) => Gives | Promise<Gives>
    : never;
};

/** An error on its way from the worker. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  /** Of a LayerNormError. */
  readonly code?: string;
}

export type Message =
  | { readonly kind: 'start'; readonly service: string }
  | { readonly kind: 'request'; readonly id: number; readonly name: string; readonly takes: unknown }
  | { readonly kind: 'abort'; readonly id: number };

export type Reply =
  | { readonly kind: 'done'; readonly id: number; readonly gives: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'progress'; readonly id: number; readonly fraction: number }
  | { readonly kind: 'event'; readonly event: unknown };

const transfers = new WeakMap<object, Transferable[]>();

/** An answer whose buffers move to the page instead of being copied. */
export function transferring<Answer extends object>(answer: Answer, buffers: Transferable[]): Answer {
  transfers.set(answer, buffers);
  return answer;
}

export function transfersOf(answer: unknown): Transferable[] {
  return typeof answer === 'object' && answer !== null ? (transfers.get(answer) ?? []) : [];
}

/** Lets messages in that have come meanwhile: requests, or that a call is no longer wanted. */
export function othersFirst(): Promise<void> {
  return new Promise((resume) => setTimeout(resume));
}
