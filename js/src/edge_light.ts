// Vercel Edge: as Cloudflare Workers, but the import says that it wants the compiled module.
import module from './layernorm.wasm?module';
import { setDefaultModule } from './runtime/load.js';

setDefaultModule(module);

export * from './index.js';
