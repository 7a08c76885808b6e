// The layers for TensorFlow.js, imported.
import * as layernorm from 'layernorm/tfjs';
import { loadTensorFlow, train } from './tfjs_training.cjs';

await train(await loadTensorFlow(process.argv[2]), layernorm);
