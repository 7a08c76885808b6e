// Cloudflare Workers: WebAssembly can be imported compiled there, and only there compiled.
import module from './layernorm.wasm';
import { setDefaultModule } from './runtime/load.js';

setDefaultModule(module);

export * from './index.js';
