// Run by `npm test -- --only jest`, which sets NODE_OPTIONS=--experimental-vm-modules: the package is ESM.
// Tests import the package by its name, so they get what users get: dist/ through the exports map. Tests of single source
// files import those, with the virtual modules of the build given by tests/js/support.
export default {
  rootDir: 'tests/js',
  testEnvironment: 'node',
  // Jest leaves one processor free by default, which on two makes everything take twice as long.
  maxWorkers: '100%',
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^#core-glue$': '<rootDir>/../../build/wasm-release/glue/layernorm.mjs',
    '^#core-bytes$': '<rootDir>/support/core_bytes.ts',
    '^#kernels-bytes$': '<rootDir>/support/kernels_bytes.ts',
    '^#statuses$': '<rootDir>/support/statuses.ts',
    '^#threads$': '<rootDir>/support/threads.ts',
    '^#version$': '<rootDir>/support/version.ts',
    // TypeScript sources name each other as the .js files that they will be.
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      },
    ],
  },
};
