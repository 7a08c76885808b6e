/**
 * The key of `Symbol.dispose` where the user's TypeScript `lib` knows it, else none: the declarations of this package then
 * suit both, and `using` works where it can.
 */
type DisposeKey = SymbolConstructor extends { readonly dispose: infer Key extends symbol } ? Key : never;

/** Something that `using` disposes of at the end of its block. */
export type UsingDisposable = { [key in DisposeKey]: () => void };

/** `Symbol.dispose`, or what compilers emit for `using` where the runtime has none. Never written to the global. */
const DISPOSE: symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for('Symbol.dispose');

abstract class DisposableBase {
  /** Gives back what the object holds. */
  abstract dispose(): void;

  [DISPOSE](): void {
    this.dispose();
  }
}

/** A class whose instances `using` disposes of: it calls the `dispose` that a subclass has. */
export const Disposing = DisposableBase as abstract new () => DisposableBase & UsingDisposable;
