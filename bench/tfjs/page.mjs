// The page that measures in a browser: bundled and served by run.mjs.

import '@tensorflow/tfjs-backend-cpu';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import * as api from 'layernorm/tfjs';
import { measureRow } from './rows.mjs';

const tf = { ...core, ...layers };

globalThis.measureIn = async (backend, row, precision) => {
  setWasmPaths('/');
  setThreadsCount(1);
  if (tf.getBackend() !== backend && !(await tf.setBackend(backend)))
    throw new Error(`no backend ${backend}`);
  return measureRow(tf, api, row, precision);
};
globalThis.versions = { tf: tf.version_core };
