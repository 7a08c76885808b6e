// What layernorm is compared with. Every peer is optional.

import { HOSTED, openHosted } from './hosted.mjs';

/**
 * Makes a peer ready.
 * @callback Open
 * @returns {Promise<Peer>}
 * @throws {import('./missing.mjs').MissingPeer} when it is not installed
 */

/**
 * @typedef {object} Peer
 * @property {string} title with its version
 * @property {boolean} [threads] whether it can use several
 * @property {(problem: import('../lib/operations.mjs').Problem) => PeerCandidate | Promise<PeerCandidate> | undefined}
 *   candidate undefined for what the peer does not offer
 * @property {() => void} close
 */

/**
 * A candidate of lib/measure.mjs without its name.
 * @typedef {object} PeerCandidate
 * @property {() => void | Promise<void>} [reset] makes the call's effect visible: poisons the output, or restores x when in place
 * @property {() => ArrayLike<number>[] | Promise<ArrayLike<number>[]>} results of the last call, in the operation's order
 * @property {ArrayLike<number>[]} [expected] what they should be, if not the operation's
 * @property {() => void | Promise<void>} [dispose]
 */

const hosted = Object.fromEntries(Object.keys(HOSTED).map((name) => [name, () => openHosted(name)]));

/** By the names that --only takes, in the order of the table's columns. @type {Record<string, Open>} */
export const PEERS = {
  onednn: async () => (await import('./onednn.mjs')).open(),
  pytorch: async () => (await import('./pytorch.mjs')).open(),
  ...hosted,
  plain: async () => (await import('./plain_loop.mjs')).open(),
  memcpy: async () => (await import('./memory_copy.mjs')).open(),
};
