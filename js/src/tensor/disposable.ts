/**
 * The key of `Symbol.dispose` where the user's TypeScript `lib` knows it, else none: the declarations of this package then
 * suit both, and `using` works where it can.
 */
type DisposeKey = SymbolConstructor extends { readonly dispose: infer Key extends symbol } ? Key : never;

/** Something that `using` disposes of at the end of its block. */
export type UsingDisposable = { [key in DisposeKey]: () => void };

/** `Symbol.dispose`, or what compilers emit for `using` where the runtime has none. Never written to the global. */
const DISPOSE: symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for('Symbol.dispose');

/** Makes `using` call `dispose` on the instances of a class. */
export function enableUsing(prototype: { dispose(): void }): void {
  Object.defineProperty(prototype, DISPOSE, {
    value(this: { dispose(): void }) {
      this.dispose();
    },
    configurable: true,
    writable: true,
  });
}
