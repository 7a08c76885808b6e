import { defineConfig, type Plugin } from 'vite';

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

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [contentSecurityPolicy()],
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
