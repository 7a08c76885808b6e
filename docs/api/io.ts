/**
 * Reads and writes files of numbers and of models. [Files](../guide/files.md) says how.
 *
 * @module
 */

export * from '../../js/src/io.js';
