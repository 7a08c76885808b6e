// Runs in every scope that has no page, as one classic script.
import { layerNorm, layerNormForward, tensor } from 'layernorm';
import { tryToCompute } from './compute.js';

const result = tryToCompute({ layerNorm, layerNormForward, tensor });

if ('registerProcessor' in globalThis) {
  class Processor extends globalThis.AudioWorkletProcessor {
    constructor() {
      super();
      this.port.postMessage(result);
    }

    process() {
      return false;
    }
  }
  globalThis.registerProcessor('layernorm', Processor);
} else if ('clients' in globalThis) {
  addEventListener('message', ({ ports: [port] }) => port.postMessage(result)); // a service worker
} else if ('onconnect' in globalThis) {
  addEventListener('connect', ({ ports: [port] }) => port.postMessage(result)); // a shared worker
} else {
  postMessage(result); // an ordinary worker
}
