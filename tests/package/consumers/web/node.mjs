import { layerNorm, layerNormForward, tensor } from 'layernorm';
import { compute } from './compute.js';

console.log(JSON.stringify(compute({ layerNorm, layerNormForward, tensor })));
