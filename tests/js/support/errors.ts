import type { LayerNormError, LayerNormErrorCode } from 'layernorm';

/** Calls a function that has to throw, and gives the error. */
export function thrownBy(call: () => unknown): LayerNormError {
  try {
    call();
  } catch (error) {
    return error as LayerNormError;
  }
  throw new Error('nothing was thrown');
}

/** Expects an error of a code whose message is, or matches, the one given. */
export function expectError(call: () => unknown, code: LayerNormErrorCode, message: string | RegExp): void {
  const error = thrownBy(call);
  expect({ name: error.name, code: error.code }).toEqual({ name: 'LayerNormError', code });
  if (typeof message === 'string') expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);
}
