import { layerNorm, layerNormForward, tensor } from 'layernorm';
import { tryToCompute } from './compute.js';

const violations = [];
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
  violations.push(`${violatedDirective} ${blockedURI}`);
});
const result = tryToCompute({ layerNorm, layerNormForward, tensor });
// A violation is told of in a task of its own.
setTimeout(() => postMessage({ ...result, violations }), 10);
