// What the parts of the page have in common, each of which is one view.

/** A view's part of the address: what a link to it restores. */
export interface State {
  get(name: string): string | undefined;
  /** Writes values into the address, without a step in the history; undefined takes one out. */
  set(values: Readonly<Record<string, string | undefined>>): void;
  /** The whole address that restores the view as it is. */
  link(): string;
}

export interface View {
  /** Brings the view to what its state says: when it is opened, and when the address is changed by hand or by the history. */
  restore(): void;
  /** The view is no longer seen: work that only it needs pauses. */
  hide?(): void;
  /** The view is seen again. */
  show?(): void;
}

/** Builds a view in an empty element. Called once, before the first `restore`. */
export type OpenView = (root: HTMLElement, state: State) => View;
