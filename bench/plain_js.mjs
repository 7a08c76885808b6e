/** Layer normalization over the last axis as one would write it in JavaScript: two passes for the statistics, one for y. */
export function layerNormPlain(x, rows, cols, gamma, beta, epsilon, y) {
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
