import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { build, defineConfig, type Plugin } from 'vite';

/** Without them a page has no SharedArrayBuffer, which threads need. Whoever hosts the page sends the same two. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** What the built page needs, and nothing more. Vite's development server adds inline scripts, so it has no policy. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/**
 * The page lies inside the package that it shows, whose package.json says that no module has side effects: true of the
 * package, not of the page and its worker.
 */
const treeshake = { moduleSideEffects: (id: string) => id.includes('/web-demo/') };

const DOCS = join(import.meta.dirname, '..', 'build', 'docs');
const LINK_TO_DOCS = /<a [^>]*href="\.\/docs\/index\.html"[^>]*>[^<]*<\/a>/;

/** Puts the documentation beside the page, when `npm run docs` has made it; without it, the page has no link to it. */
function documentation(): Plugin {
  let folder = '';
  return {
    name: 'documentation',
    apply: 'build',
    configResolved({ root, build: { outDir } }) {
      folder = join(root, outDir, 'docs');
    },
    transformIndexHtml(html) {
      if (!LINK_TO_DOCS.test(html)) throw new Error('index.html has no link to the documentation');
      return existsSync(DOCS) ? html : html.replace(LINK_TO_DOCS, '');
    },
    writeBundle() {
      if (existsSync(DOCS)) cpSync(DOCS, folder, { recursive: true });
    },
  };
}

/** Builds src/app/service_worker.ts when all other files are there: it holds a list of them. */
function serviceWorker(): Plugin {
  let folder = '';
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved({ root, build: { outDir } }) {
      folder = join(root, outDir);
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler(error) {
        if (error) return;
        const files = readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && entry.name !== 'sw.js')
          .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join(posix.sep))
          // The documentation is as large as all else together many times over, and the page does without it.
          .filter((file) => !file.startsWith('docs/'))
          .sort();
        const version = createHash('sha256').update(POLICY);
        for (const file of files) version.update(file).update(readFileSync(join(folder, file)));
        await build({
          configFile: false,
          root: import.meta.dirname,
          logLevel: 'warn',
          publicDir: false,
          define: {
            // Hosts may redirect from index.html to the folder that it is in.
            __FILES__: JSON.stringify(files.map((file) => (file === 'index.html' ? '' : file))),
            __VERSION__: JSON.stringify(version.digest('hex').slice(0, 16)),
            __POLICY__: JSON.stringify(POLICY),
          },
          build: {
            outDir: folder,
            emptyOutDir: false,
            target: 'es2022',
            lib: {
              entry: 'src/app/service_worker.ts',
              formats: ['iife'],
              name: 'sw',
              fileName: () => 'sw.js',
            },
            rolldownOptions: { treeshake },
          },
        });
      },
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  // An address that is none is not found, rather than the page.
  appType: 'mpa',
  plugins: [contentSecurityPolicy(), documentation(), serviceWorker()],
  server: { headers: ISOLATION, fs: { allow: ['..'] } },
  // Workers do not inherit the policy of the <meta> element: they have that of their own script's response.
  preview: { headers: { ...ISOLATION, 'Content-Security-Policy': POLICY } },
  build: {
    outDir: '../build/demo',
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { treeshake },
  },
  worker: { format: 'es', rolldownOptions: { treeshake } },
});
