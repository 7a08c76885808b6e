/**
 * Reads and writes files of numbers and of models.
 *
 * @module
 */

export * from '../../js/src/io.js';
