/** What takes the warnings of layers. */
export type WarningHandler = (message: string) => void;

/** Where there is one: not every runtime of WebAssembly has a console. */
const toConsole: WarningHandler = (message) => globalThis.console?.warn(message);

let handler = toConsole;
const heard = /* @__PURE__ */ new Set<string>();

/**
 * Says where the warnings of layers go: to `console.warn` by default, each of them once. They tell of what Keras warns of as well:
 * `rmsScaling`, a mask that a layer destroys, an `inputShape` given to a layer.
 *
 * @example
 * ```ts
 * setWarningHandler((message) => logger.warn(message));
 * ```
 *
 * @param next - what takes them from now on, each of them once again; null for `console.warn`
 */
export function setWarningHandler(next: WarningHandler | null): void {
  handler = next ?? toConsole;
  heard.clear();
}

/** Gives a warning, unless the handler has had it before. */
export function warnOnce(message: string): void {
  if (heard.has(message)) return;
  heard.add(message);
  handler(message);
}
