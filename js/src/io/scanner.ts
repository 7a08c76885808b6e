// Reads the small languages of headers, JSON and Python's literals, character by character: nothing is built that the format has no place
// for, and no text is evaluated.

import { faulty, quoted } from '../files/parts.js';

/** A place in a text that moves forward. */
export class Scanner {
  readonly #part: string;
  readonly #text: string;
  #at = 0;

  /** @param part - what the text is, for error messages */
  constructor(part: string, text: string) {
    this.#part = part;
    this.#text = text;
  }

  /** Whether the next character, after white space, is this one, which is then passed. */
  accept(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Passes one of some characters, and gives it. */
  expect(...characters: string[]): string {
    const found = characters.find((character) => this.accept(character));
    if (found === undefined) throw this.unexpected(characters.map((one) => `"${one}"`).join(' or '));
    return found;
  }

  /** Whether a word is next, which is then passed. */
  acceptWord(word: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** A text in the quotes of JSON. */
  jsonString(): string {
    this.#skip();
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.unexpected('a text in quotes');
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    try {
      const text: unknown = JSON.parse(this.#text.slice(start, end + 1));
      this.#at = end + 1;
      return text as string;
    } catch {
      throw this.unexpected('a text in quotes');
    }
  }

  /** A text in either of Python's quotes, without escapes, which no header has. */
  pythonString(): string {
    this.#skip();
    const quote = this.#text[this.#at];
    const end = quote === "'" || quote === '"' ? this.#text.indexOf(quote, this.#at + 1) : -1;
    const text = this.#text.slice(this.#at + 1, Math.max(end, 0));
    if (end < 0 || text.includes('\\')) throw this.unexpected('a text in quotes');
    this.#at = end + 1;
    return text;
  }

  /** An integer from 0 to 2^53 - 1. */
  size(): number {
    this.#skip();
    const digits = /\d{1,17}/y;
    digits.lastIndex = this.#at;
    const [text] = digits.exec(this.#text) ?? [];
    const value = Number(text);
    if (text === undefined || (text.length > 1 && text[0] === '0') || !Number.isSafeInteger(value)) {
      throw this.unexpected('an integer from 0 to 2^53 - 1');
    }
    this.#at += text.length;
    return value;
  }

  /** Expects nothing more but white space. */
  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) throw this.unexpected('its end');
  }

  /** The error of a place where something else was expected. */
  unexpected(expected: string): Error {
    this.#skip();
    const found =
      this.#at < this.#text.length ? quoted(this.#text.slice(this.#at, this.#at + 24)) : 'its end';
    return faulty(this.#part, `character ${this.#at} begins ${found}, expected ${expected}`);
  }

  #skip(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '-')) this.#at++;
  }
}
