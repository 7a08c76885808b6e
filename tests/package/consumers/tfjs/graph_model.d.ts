import type { io } from '@tensorflow/tfjs-core';

export declare function makeGraphModel(sizes: {
  rows: number;
  cols: number;
  channels: number;
}): io.ModelArtifacts;
