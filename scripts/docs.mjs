// npm run docs: sets up what is missing and makes the documentation, build/docs: TypeDoc's pages of js/src and of docs/guide. Anything
// that TypeDoc warns of is an error, and so is a link that leads nowhere.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokenLinks } from './lib/links.mjs';
import { ensureNpmPackages } from './lib/npm_packages.mjs';
import { at, shown } from './lib/paths.mjs';
import { main, StepError, step } from './lib/run.mjs';
import { unlessUnchanged } from './lib/unchanged.mjs';

const OUT = at('build', 'docs');

/** The pages of the guide but for the first, in the order in which they are listed. */
const GUIDE = [
  'axes',
  'tensors',
  'threads',
  'numerics',
  'from-keras',
  'from-pytorch',
  'from-tfjs',
  'from-transformers',
  'files',
  'command-line',
  'errors',
].map((name) => at('docs', 'guide', `${name}.md`));

/** What declarations mention that is not exported: names for types, which the pages write out or which say enough. */
const NOT_EXPORTED = {
  'js/src/duckdb/functions.ts': ['Parameter'],
  'js/src/io/elements.ts': ['ArrayTypes'],
  'js/src/layers/elements.ts': ['Numbers'],
  'js/src/layers/serialization.ts': ['Config'],
  'js/src/ops/normalize_backward.ts': ['Gradient'],
  'js/src/ops/spectral_norm.ts': ['VectorOf'],
  'js/src/tensor/arrow.ts': ['ArrowVector'],
  'js/src/tensor/dtype.ts': [
    ...['Float16', 'SixteenBit', 'OwnFloat16Array', 'OwnFloat32Array', 'OwnFloat64Array', 'OwnUint16Array'],
  ],
  'js/src/tensor/shape.ts': ['Shape'],
  'js/src/tensor/tensor_like.ts': ['ArrayLike16', 'ArrowDType', 'NestedOf', 'SyncTensor', 'WritableOf'],
  'js/src/tfjs/install.ts': ['Identifier'],
  'js/src/tfjs/layers.ts': ['CLASS_NAMES'],
};

/** The languages of code in the guide and in comments. */
const HIGHLIGHTED = ['js', 'json', 'python', 'sh', 'sql', 'text', 'ts'];

/** Set by TypeDoc in the body of each page; the policy of the demo page, which the documentation lies beside, has no inline scripts. */
const INLINE_SCRIPT = /<script>document\.documentElement\.dataset\.theme = .*?<\/script>/;

/** Stands for the address of the demo page, which depends on the page that the link is on. */
const DEMO = 'demo:';

const inputs = [
  ...['docs', 'js/src', 'js/tsconfig.json', 'package.json', 'package-lock.json'].map((path) => at(path)),
  ...['docs.mjs', 'lib/links.mjs'].map((name) => at('scripts', name)),
  at('web-demo', 'public', 'favicon.svg'),
];

/** Makes build/docs, unless it is there and nothing has changed. */
export async function buildDocs() {
  await ensureNpmPackages();
  await unlessUnchanged('docs', { inputs, outputs: [at('build', 'docs', 'index.html')] }, async () => {
    await step('docs: TypeDoc', generate);
    await step('docs: checking links', async () => {
      const broken = brokenLinks(OUT, ['../']);
      if (broken.length > 0) throw new StepError(broken.join('\n'));
    });
  });
}

/** The names that users import, with the file that documents each. */
function entries() {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const names = Object.keys(exports).filter((name) => typeof exports[name] === 'object');
  return names.map((name) => {
    const entry = name === '.' ? 'index' : name.slice(2);
    const file = at('docs', 'api', `${entry}.ts`);
    if (!existsSync(file))
      throw new StepError(`${shown(file)} is missing: what TypeDoc is to show of ${entry}`);
    return { name: `layernorm${name.slice(1)}`, entry, file };
  });
}

/** A page as TypeDoc makes it, with what its options cannot change. */
function finished(url, page) {
  const up = '../'.repeat(url.split('/').length - 1);
  const once = (html, what, by) => {
    if (html.split(what).length !== 2) throw new StepError(`${url} has not one ${what}`);
    return html.replace(what, by);
  };
  let html = once(page, INLINE_SCRIPT, `<script src="${up}assets/theme.js"></script>`);
  html = once(html, '<div class="col-content">', '<div class="col-content" role="main">');
  html = once(html, '<nav id="tsd-sidebar-links"', '<nav id="tsd-sidebar-links" aria-label="Beside this"');
  html = once(
    html,
    '<div class="page-menu">',
    '<div class="page-menu" role="navigation" aria-label="This page">',
  );
  html = once(html, '<nav class="tsd-navigation">', '<nav class="tsd-navigation" aria-label="All pages">');
  // The guide's own heading is the title of the first page.
  if (url === 'index.html') html = once(html, /<div class="tsd-page-title">.*?<\/div>/s, '');
  // A summary is a button, which cannot have a link in it.
  html = html.replace(/<summary.*?<\/summary>/gs, (summary) =>
    summary.replace(/<a [^>]*class="tsd-anchor-icon">.*?<\/a>/gs, ''),
  );
  return withoutGaps(html).replaceAll(`href="${DEMO}"`, `href="${up}../"`);
}

/** TypeDoc chooses headings by their size and leaves levels out: these are named as they follow each other. */
function withoutGaps(html) {
  const open = [];
  return html.replace(/<h([1-6])(?=[ >])/g, (tag, digit) => {
    const size = Number(digit);
    while (open.length > 0 && open.at(-1) >= size) open.pop();
    open.push(size);
    return open.length === size ? tag : `${tag} aria-level="${open.length}"`;
  });
}

/** TypeDoc's script writes a rule into the page, which the policy of the demo page forbids: docs/style.css has it. */
function withoutStyle(script) {
  const made = 'document.head.appendChild(document.createElement("style"))';
  if (script.split(made).length !== 2) throw new StepError('main.js of TypeDoc does not make its style once');
  return script.replace(made, 'document.createElement("style")');
}

async function generate() {
  const { Application, Converter, IndexEvent, LogLevel, Logger, PageEvent, ReflectionKind, RendererEvent } =
    await import('typedoc');
  const listed = entries();
  const app = await Application.bootstrap({
    tsconfig: at('docs', 'tsconfig.json'),
    name: 'layernorm',
    includeVersion: true,
    entryPoints: listed.map(({ file }) => file),
    readme: at('docs', 'guide', 'start.md'),
    projectDocuments: GUIDE,
    router: 'kind',
    sort: ['kind', 'alphabetical-ignoring-documents'],
    sortEntryPoints: false,
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeExternals: true,
    disableSources: true,
    hideGenerator: true,
    requiredToBeDocumented: ['Module', 'Namespace', 'Variable', 'Class', 'Interface', 'TypeAlias'],
    intentionallyNotExported: Object.entries(NOT_EXPORTED).flatMap(([file, names]) =>
      names.map((name) => `${file}:${name}`),
    ),
    validation: {
      notExported: true,
      invalidLink: true,
      invalidPath: true,
      rewrittenLink: true,
      notDocumented: true,
    },
    navigationLinks: { 'Demo page': DEMO },
    navigation: { includeFolders: false },
    searchInDocuments: true,
    favicon: at('web-demo', 'public', 'favicon.svg'),
    customCss: at('docs', 'style.css'),
    highlightLanguages: HIGHLIGHTED,
  });

  const complaints = [];
  app.logger = new (class extends Logger {
    addContext(message) {
      return message;
    }
    log(message, level) {
      super.log(message, level);
      if (level >= LogLevel.Warn) complaints.push(message);
    }
  })();

  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return;
    reflection.name = listed.find(({ entry }) => entry === reflection.name).name;
  });
  // Pages are called what they begin with.
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const [, heading] = /^# (.+)$/m.exec(document.content[0].text);
    document.name = heading;
  });
  // The guide names what it links to as code does, without the entry.
  app.converter.addUnknownSymbolResolver(({ symbolReference, moduleSource }, from) => {
    const path = symbolReference?.path?.map(({ path }) => path);
    if (moduleSource || !path || !(from.isDocument() || from.isProject())) return undefined;
    for (const module of from.project.getChildrenByKind(ReflectionKind.Module)) {
      const found = module.getChildByName(path);
      if (found) return { target: found, caption: path.join('.') };
    }
    return undefined;
  });
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = finished(page.url, page.contents);
  });
  // Types without a name have no place on a page.
  app.renderer.on(IndexEvent.PREPARE_INDEX, (index) => {
    for (let i = index.searchResults.length - 1; i >= 0; i--) {
      if (index.searchResults[i].name === '__type') index.removeResult(i);
    }
  });
  app.renderer.on(RendererEvent.END, () => {
    writeFileSync(join(OUT, 'assets', 'theme.js'), readFileSync(at('docs', 'theme.js')));
    const main = join(OUT, 'assets', 'main.js');
    writeFileSync(main, withoutStyle(readFileSync(main, 'utf8')));
  });
  // The first code in a language takes longest, and what takes long is not coloured to its end.
  let isWarm = false;
  app.renderer.on(PageEvent.BEGIN, () => {
    if (!isWarm)
      for (const one of HIGHLIGHTED) app.renderer.markedPlugin.getHighlighted('import { x } from "y";', one);
    isWarm = true;
  });

  const project = await app.convert();
  if (project) {
    app.validate(project);
    // TypeDoc's option has functions together with the methods of all interfaces.
    for (const one of project.getReflectionsByKind(ReflectionKind.Function)) {
      if (!one.signatures.every((signature) => signature.hasComment()))
        complaints.push(`${one.getFriendlyFullName()} does not have any documentation`);
    }
    await app.generateDocs(project, OUT);
  }
  if (complaints.length > 0) throw new StepError(complaints.join('\n'));
}

await main(import.meta, async () => {
  await buildDocs();
  console.log(
    `The documentation is ${shown(OUT)}/index.html; \`npm start\` serves it beside the demo page, under docs/`,
  );
});
