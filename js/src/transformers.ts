export { LayerNormError, type LayerNormErrorCode } from './index.js';
