/** A peer that is not installed. The message says what would install it. */
export class MissingPeer extends Error {
  constructor(what) {
    super(`${what} is not installed: npm run bench:peers installs it`);
    this.what = what;
  }
}
