/** How the elements of a shape fall into groups: those that share their indices on the kept axes. */

/**
 * @typedef {object} Layout
 * @property {number} size elements in all
 * @property {number} groups
 * @property {number} cols elements of a group
 * @property {number} [inner] when one run of neighbouring axes is reduced: elements between neighbours of a group, 1 for rows
 * @property {number[]} axes ascending
 * @property {number[]} reducedShape the sizes of these axes
 * @property {number[]} groupShape the shape with 1 at these axes
 */

/** @returns {Layout} */
export function layoutOf(shape, axis) {
  const axes = [axis]
    .flat()
    .map((one) => (one < 0 ? one + shape.length : one))
    .sort((a, b) => a - b);
  const size = product(shape);
  const cols = product(axes.map((one) => shape[one]));
  const together = axes.every((one, i) => i === 0 || one === axes[i - 1] + 1);
  const inner = together ? product(shape.slice(axes.at(-1) + 1)) : undefined;
  const reducedShape = axes.map((one) => shape[one]);
  const groupShape = shape.map((one, i) => (axes.includes(i) ? 1 : one));
  return { size, groups: size / cols, cols, inner, axes, reducedShape, groupShape };
}

const product = (sizes) => sizes.reduce((all, size) => all * size, 1);

/**
 * Where things lie: the element j of group i is at starts[i] + steps[j].
 * @returns {{ starts: Int32Array, steps: Int32Array }}
 */
export function offsetsOf(shape, { axes }) {
  const strides = shape.map((_, i) => product(shape.slice(i + 1)));
  const walk = (dimensions) => {
    let offsets = [0];
    for (const i of dimensions) {
      offsets = offsets.flatMap((offset) =>
        Array.from({ length: shape[i] }, (_, n) => offset + n * strides[i]),
      );
    }
    return Int32Array.from(offsets);
  };
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return { starts: walk(kept), steps: walk(axes) };
}
