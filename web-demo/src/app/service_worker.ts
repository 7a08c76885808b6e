// The service worker: keeps all files of the page, so that it works offline, and adds the headers that its host may not send.
// vite.config.ts builds it into one classic script, sw.js, and fills in what that is about.

/** All files of this build, relative to the page; the page itself is ''. */
declare const __FILES__: readonly string[];
/** Changes with any of them. */
declare const __VERSION__: string;
/** The Content-Security-Policy of the page. */
declare const __POLICY__: string;

// What is used of a worker's own types, which do not go together with those of a page.
interface WorkerEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface RequestEvent extends WorkerEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly unknown[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: WorkerEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: RequestEvent) => void): void;
  addEventListener(type: 'message', listener: (event: WorkerEvent & { data: unknown }) => void): void;
}
const worker = self as unknown as Scope;

const { scope } = worker.registration;
const PREFIX = `layernorm-demo ${scope} `;
const CACHE = PREFIX + __VERSION__;

/**
 * The first two isolate the page, which threads need. Workers do not inherit the policy of the page's <meta> element: they have
 * that of their own script's response.
 */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy': __POLICY__,
};

worker.addEventListener('install', (event) => {
  event.waitUntil(keepAll().then(() => worker.skipWaiting()));
});

async function keepAll(): Promise<void> {
  await caches.delete(CACHE); // so that it is the newest one, should this version come again after others
  const cache = await caches.open(CACHE);
  await cache.addAll(
    __FILES__.map((file) => {
      // Names with a hash never change what they stand for, so the browser's own cache will do.
      const isHashed = file.startsWith('assets/');
      return new Request(new URL(file, scope), { cache: isHashed ? 'default' : 'reload' });
    }),
  );
}

worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim());
});

// A page that has been opened before may still load views of the version that it is of. So the caches of versions before this
// one go when a page has loaded that is the only one.
worker.addEventListener('message', (event) => {
  if (event.data === 'loaded') event.waitUntil(forgetOlder());
});

async function forgetOlder(): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (pages.length > 1) return;
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  // They come in the order in which they were made.
  const older = names.slice(0, Math.max(0, names.indexOf(CACHE)));
  await Promise.all(older.map((name) => caches.delete(name)));
}

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(scope)) return;
  event.respondWith(answer(request));
});

async function answer(request: Request): Promise<Response> {
  return withHeaders((await kept(request)) ?? (await fetch(request)));
}

/** The page is of this version; what it asks for may be of the one before. */
async function kept(request: Request): Promise<Response | undefined> {
  const { origin, pathname } = new URL(request.url);
  const file = origin + pathname;
  if (request.mode === 'navigate') {
    const isPage = file === scope || file === `${scope}index.html`;
    return isPage ? find(CACHE, scope) : undefined;
  }
  const newest = await find(CACHE, file);
  if (newest) return newest;
  for (const name of await caches.keys()) {
    const found = name.startsWith(PREFIX) ? await find(name, file) : undefined;
    if (found) return found;
  }
  return undefined;
}

async function find(name: string, file: string): Promise<Response | undefined> {
  return (await caches.open(name)).match(file, { ignoreVary: true });
}

function withHeaders(response: Response): Response {
  // What cannot be read cannot be copied.
  if (response.type === 'opaque' || response.type === 'opaqueredirect' || response.type === 'error')
    return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  const hasBody = ![101, 204, 205, 304].includes(status);
  return new Response(hasBody ? response.body : null, { status, statusText, headers });
}
