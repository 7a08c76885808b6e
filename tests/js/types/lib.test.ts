// The declarations suit users whose TypeScript knows less than ours: no lib with Symbol.dispose, none with the DOM.
import ts from 'typescript';

const folder = new URL('.', import.meta.url).pathname;

/** The libs are large and the same for every program: parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of a program that imports the package, and of the package's own declarations. */
function diagnose(code: string, options: ts.CompilerOptions): string[] {
  const file = `${folder}program.ts`;
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noEmit: true,
    types: [],
    ...options,
  };
  const host = ts.createCompilerHost(compilerOptions);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, language) => {
    if (name === file) return ts.createSourceFile(name, code, language);
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, language));
    return parsed.get(name);
  };
  const program = ts.createProgram([file], compilerOptions, host);
  const ours = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === file || /dist.index\.d/.test(fileName));
  expect(ours).toHaveLength(2);
  const diagnostics = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((one) => [
      ...program.getSyntacticDiagnostics(one),
      ...program.getSemanticDiagnostics(one),
    ]),
  ];
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const PLAIN = `
  import { createEngine, layerNorm, type Tensor, tensor } from 'layernorm';
  const t: Tensor<'float32'> = tensor([[1, 2]]);
  const y: Float32Array = layerNorm(t, { gamma: [1, 2] }).array;
  t.dispose();
  createEngine().then((engine) => engine.layerNorm(y));`;

const USING = `
  import { tensor } from 'layernorm';
  using t = tensor([1, 2]);
  export const { size } = t;`;

test.each<[string, ts.CompilerOptions]>([
  ['lib ES2022 and DOM', { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] }],
  ['lib ES2022 and WebWorker', { lib: ['lib.es2022.d.ts', 'lib.webworker.d.ts'] }],
  ['lib ES2022 and the types of Node', { lib: ['lib.es2022.d.ts'], types: ['node'] }],
  ['the default lib', {}],
  ['everything that TypeScript knows', { lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'] }],
  [
    'Node resolution of ESM',
    { module: ts.ModuleKind.Node20, moduleResolution: ts.ModuleResolutionKind.Node16 },
  ],
])('%s', (_, options) => {
  expect(diagnose(PLAIN, options)).toEqual([]);
});

test('using needs its lib, and then works', () => {
  expect(diagnose(USING, { lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'] })).toEqual([]);
  expect(diagnose(USING, { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] })).not.toEqual([]);
});

const FLOAT16 = `
  import { layerNorm, layerNormForward, tensor } from 'layernorm';
  declare const x: Float16Array;
  const y: Float16Array<ArrayBuffer> = layerNorm(x);
  const { mean } = layerNormForward(x);
  const statistics: Float32Array<ArrayBuffer> = mean;
  const either: Float16Array | Uint16Array = tensor(x).array;
  layerNorm(x, { out: y, gamma: [x] });`;

test('Float16Array where the lib has it', () => {
  expect(diagnose(FLOAT16, { lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'] })).toEqual([]);
  expect(diagnose(FLOAT16, { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] })).not.toEqual([]);
});

test('a mistake is found', () => {
  expect(diagnose("import { layerNorm } from 'layernorm'; layerNorm([1], { eps: 1 });", {})).toEqual([
    expect.stringContaining("'eps' does not exist"),
  ]);
});
