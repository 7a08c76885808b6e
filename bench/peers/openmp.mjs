/**
 * What OpenMP reads when it is loaded: one thread until a row wants more, and further threads that wait for the next call
 * awake, but not so long that they take a processor away from the candidate after them.
 */
export const OPENMP = { OMP_NUM_THREADS: '1', GOMP_SPINCOUNT: '20000' };
