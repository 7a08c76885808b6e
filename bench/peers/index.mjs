// What layernorm is compared with. Every peer is optional.

/**
 * Makes a peer ready.
 * @callback Open
 * @returns {Promise<Peer>}
 * @throws {import('./missing.mjs').MissingPeer} when it is not installed
 */

/**
 * @typedef {object} Peer
 * @property {string} title with its version
 * @property {(problem: import('../lib/operations.mjs').Problem) => PeerCandidate | Promise<PeerCandidate> | undefined}
 *   candidate undefined for what the peer does not offer
 * @property {() => void} close
 */

/**
 * A candidate of lib/measure.mjs without its name.
 * @typedef {object} PeerCandidate
 * @property {() => void} [reset] makes the call's effect visible: poisons the output, or restores x when in place
 * @property {() => ArrayLike<number> | Promise<ArrayLike<number>>} result y after a call
 * @property {ArrayLike<number>} [expected] what y should be, if not the operation's
 * @property {() => void} [dispose]
 */

/** By the names that --only takes, in the order of the table's columns. @type {Record<string, () => Promise<{ open: Open }>>} */
export const PEERS = {
  onednn: () => import('./onednn.mjs'),
  plain: () => import('./plain_loop.mjs'),
  memcpy: () => import('./memory_copy.mjs'),
};
