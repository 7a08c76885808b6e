/**
 * The same operations on addresses of any `WebAssembly.Memory`: that of another module, or one that workers share. Nothing is
 * copied, allocated or grown.
 *
 * @module
 */

export * from '../../js/src/kernels.js';
