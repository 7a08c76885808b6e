// The layers for TensorFlow.js, required.
const layernorm = require('layernorm/tfjs');
const { loadTensorFlow, train } = require('./tfjs_training.cjs');

loadTensorFlow(process.argv[2]).then((tf) => train(tf, layernorm));
