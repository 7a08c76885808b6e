// Uses a part of the package that needs no WebAssembly.
import { LayerNormError } from 'layernorm';

globalThis.isOurs = (error) => error instanceof LayerNormError;
