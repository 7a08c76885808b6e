// The JSON of files: checked once, so that whoever walks it needs no limits of his own.

import { faulty, quoted } from '../files/parts.js';
import { describe } from '../runtime/errors.js';

/** An object of JSON. */
export type JsonObject = Record<string, unknown>;

/** Far above what models have: one nested ten models deep has about sixty. */
const MAX_DEPTH = 200;
/** Values in one file, about a hundred for each layer. */
const MAX_VALUES = 2_000_000;

/** Reads the bytes of a part of a file. */
export function parseJson(part: string, bytes: Uint8Array): JsonObject {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw faulty(part, 'it is no UTF-8 text', error);
  }
  return parseText(part, text);
}

/** Reads the text of a part of a file. */
export function parseText(part: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw faulty(part, `it is no JSON (${quoted((error as Error).message)})`, error);
  }
  checkValues(part, value);
  return asObject(part, 'the whole', value);
}

/** A value that has to be an object. */
export function asObject(part: string, what: string, value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw faulty(part, `${what} is ${shown(value)}, expected an object`);
}

/** A value that has to be a list. */
export function asList(part: string, what: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw faulty(part, `${what} is ${shown(value)}, expected a list`);
}

/** A value that has to be a text. */
export function asText(part: string, what: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw faulty(part, `${what} is ${shown(value)}, expected a string`);
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Words a value of a file for a message. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : describe(value);
}

function checkValues(part: string, root: unknown): void {
  let level: unknown[] = [root];
  let count = 0;
  // Level by level and not by recursion, which would run out of stack before the limit is noticed.
  for (let depth = 0; level.length > 0; ++depth) {
    if (depth > MAX_DEPTH) throw faulty(part, `its values lie more than ${MAX_DEPTH} deep in each other`);
    count += level.length;
    if (count > MAX_VALUES) throw faulty(part, `it has more than ${MAX_VALUES} values`);
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (Object.hasOwn(value, '__proto__'))
        throw faulty(part, "it has a key '__proto__', which no model has");
      for (const inner of Object.values(value)) next.push(inner);
    }
    level = next;
  }
}
