// Normalizations as one would write them in JavaScript: passes over x for the statistics, and one for y.

/** Over the last axis. */
export function layerNormRows(x, rows, cols, gamma, beta, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += x[start + i];
    const mean = sum / cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += (x[start + i] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) y[start + i] = (x[start + i] - mean) * rstd * gamma[i] + beta[i];
  }
}

/** Over any axes: the same, by the offsets of the elements. */
export function layerNormGroups(x, { starts, steps }, gamma, beta, epsilon, y) {
  const cols = steps.length;
  for (const start of starts) {
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += x[start + steps[i]];
    const mean = sum / cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += (x[start + steps[i]] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) {
      y[start + steps[i]] = (x[start + steps[i]] - mean) * rstd * gamma[i] + beta[i];
    }
  }
}

/** x + skip, and that over the last axis. */
export function skipLayerNormRows(x, skip, rows, cols, gamma, beta, epsilon, y, sum) {
  for (let i = 0; i < x.length; i++) sum[i] = x[i] + skip[i];
  layerNormRows(sum, rows, cols, gamma, beta, epsilon, y);
}

export function rmsNormRows(x, rows, cols, gamma, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += x[start + i] ** 2;
    const rstd = 1 / Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) y[start + i] = x[start + i] * rstd * gamma[i];
  }
}

/** x + skip, and that over the last axis. */
export function skipRmsNormRows(x, skip, rows, cols, gamma, epsilon, y, sum) {
  for (let i = 0; i < x.length; i++) sum[i] = x[i] + skip[i];
  rmsNormRows(sum, rows, cols, gamma, epsilon, y);
}

export function unitNormRows(x, rows, cols, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += x[start + i] ** 2;
    const norm = Math.max(Math.sqrt(squares), epsilon);
    for (let i = 0; i < cols; i++) y[start + i] = x[start + i] / norm;
  }
}

/** The first `dimensions` of each row after layer normalization without parameters, over their norm. */
export function matryoshkaRows(x, rows, cols, dimensions, epsilon, y) {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    const to = row * dimensions;
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += x[start + i];
    const mean = sum / cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += (x[start + i] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / cols + epsilon);
    let kept = 0;
    for (let i = 0; i < dimensions; i++) kept += ((x[start + i] - mean) * rstd) ** 2;
    const factor = rstd / Math.max(Math.sqrt(kept), 1e-12);
    for (let i = 0; i < dimensions; i++) y[to + i] = (x[start + i] - mean) * factor;
  }
}

export function momentsOfRows(x, rows, cols, mean, variance) {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    let sum = 0;
    for (let i = 0; i < cols; i++) sum += x[start + i];
    mean[row] = sum / cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += (x[start + i] - sum / cols) ** 2;
    variance[row] = squares / cols;
  }
}

/** Mean and variance of each channel of x, of the shape [outer, channels, inner]. */
export function momentsOfChannels(x, [outer, channels, inner], mean, variance) {
  const count = outer * inner;
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let n = 0, at = 0; n < outer; n++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += x[at++];
      sums[c] += sum;
    }
  }
  for (let c = 0; c < channels; c++) sums[c] /= count;
  for (let n = 0, at = 0; n < outer; n++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += (x[at++] - sums[c]) ** 2;
      squares[c] += sum;
    }
  }
  for (let c = 0; c < channels; c++) {
    mean[c] = sums[c];
    variance[c] = squares[c] / count;
  }
}

/** With the mean and the variance of each channel. */
export function normalizeChannels(x, [outer, channels, inner], mean, variance, gamma, beta, epsilon, y) {
  const scale = variance.map((one, c) => gamma[c] / Math.sqrt(one + epsilon));
  const shift = mean.map((one, c) => beta[c] - one * scale[c]);
  for (let n = 0, at = 0; n < outer; n++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < inner; i++, at++) y[at] = x[at] * scale[c] + shift[c];
    }
  }
}

export function batchNorm(x, view, gamma, beta, epsilon, y) {
  const mean = new Float64Array(view[1]);
  const variance = new Float64Array(view[1]);
  momentsOfChannels(x, view, mean, variance);
  normalizeChannels(x, view, mean, variance, gamma, beta, epsilon, y);
}

/** Groups of channels of x, of the shape [batch, before, groups, channels of a group, after]. */
export function groupNorm(x, [batch, before, groups, channels, after], gamma, beta, epsilon, y) {
  const count = before * channels * after;
  const step = groups * channels * after; // from one place before the channels to the next
  for (let n = 0; n < batch; n++) {
    for (let g = 0; g < groups; g++) {
      const start = n * before * step + g * channels * after;
      let sum = 0;
      for (let b = 0; b < before; b++) {
        for (let i = 0; i < channels * after; i++) sum += x[start + b * step + i];
      }
      const mean = sum / count;
      let squares = 0;
      for (let b = 0; b < before; b++) {
        for (let i = 0; i < channels * after; i++) squares += (x[start + b * step + i] - mean) ** 2;
      }
      const rstd = 1 / Math.sqrt(squares / count + epsilon);
      for (let b = 0; b < before; b++) {
        for (let c = 0, at = start + b * step; c < channels; c++) {
          const scale = gamma[g * channels + c] * rstd;
          const shift = beta[g * channels + c] - mean * scale;
          for (let i = 0; i < after; i++, at++) y[at] = x[at] * scale + shift;
        }
      }
    }
  }
}
