// The address: #view?name=value&..., with the state of one view. That of the others is kept until the page is left.

import type { State } from './view.js';

export interface Address {
  readonly view: string;
  readonly state: URLSearchParams;
}

/** Reads what stands after the #. */
export function parseAddress(hash: string): Address {
  const [, view = '', state = ''] = /^#?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  return { view, state: new URLSearchParams(state) };
}

export function formatAddress({ view, state }: Address): string {
  // Commas and colons need no escapes in a fragment, and make links that one can read.
  const text = state.toString().replace(/%2C/gi, ',').replace(/%3A/gi, ':');
  return `#${view}${text ? `?${text}` : ''}`;
}

/** The states of all views. */
export class States {
  readonly #states = new Map<string, URLSearchParams>();
  readonly #onWrite: (view: string) => void;

  /** @param onWrite - called after a view has written its state */
  constructor(onWrite: (view: string) => void) {
    this.#onWrite = onWrite;
  }

  of(view: string): State {
    return {
      get: (name) => this.raw(view).get(name) ?? undefined,
      set: (values) => {
        const state = this.raw(view);
        for (const [name, value] of Object.entries(values)) {
          if (value === undefined) state.delete(name);
          else state.set(name, value);
        }
        this.#onWrite(view);
      },
      link: () => new URL(formatAddress({ view, state: this.raw(view) }), location.href).href,
    };
  }

  raw(view: string): URLSearchParams {
    const state = this.#states.get(view) ?? new URLSearchParams();
    this.#states.set(view, state);
    return state;
  }

  replace(view: string, state: URLSearchParams): void {
    this.#states.set(view, state);
  }
}
