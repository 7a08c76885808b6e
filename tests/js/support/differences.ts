/** Central differences of a function of an array's elements, each changed in place and put back. In float64 good to 1e-8 or so. */
export function differences(array: Float64Array, loss: () => number, step = 1e-5): Float64Array {
  return array.map((value, i) => {
    array[i] = value + step;
    const above = loss();
    array[i] = value - step;
    const below = loss();
    array[i] = value;
    return (above - below) / (2 * step);
  });
}
