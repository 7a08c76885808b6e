/** Cells of the plane that a classifier is asked about, along each side, and how far they reach from 0. */
export const [GRID, REACH] = [40, 1.15];
