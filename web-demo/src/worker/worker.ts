// The one worker script. Every call of layernorm is made in such a worker, off the main thread; its first message says which
// service it runs, and only that one is loaded.

import { type Failure, type Message, type Reply, type Service, transfersOf } from './service.js';

type AnyService = Service<Record<string, { takes: unknown; gives: unknown }>, unknown>;

const SERVICES: Record<string, () => Promise<{ service: unknown }>> = {
  explore: () => import('../explore/service.js'),
  stability: () => import('../stability/service.js'),
  training: () => import('../training/service.js'),
  geometry: () => import('../geometry/service.js'),
  speed: () => import('../speed/service.js'),
};

let service: Promise<AnyService> | undefined;
const calls = new Map<number, AbortController>();

self.addEventListener('message', ({ data: message }: MessageEvent<Message>) => {
  switch (message.kind) {
    case 'start':
      service = load(message.service);
      service.catch(() => {}); // every request says so
      return;
    case 'abort':
      return calls.get(message.id)?.abort();
    case 'request':
      return void answer(message);
  }
});

async function load(name: string): Promise<AnyService> {
  const loading = SERVICES[name];
  if (!loading) throw new Error(`There is no service ${name}.`);
  return (await loading()).service as AnyService;
}

async function answer({ id, name, takes }: Extract<Message, { kind: 'request' }>): Promise<void> {
  const controller = new AbortController();
  calls.set(id, controller);
  try {
    const functions = await service;
    const gives = await functions?.[name]?.(takes, {
      signal: controller.signal,
      progress: (fraction) => post({ kind: 'progress', id, fraction }),
      notify: (event) => post({ kind: 'event', event }),
    });
    post({ kind: 'done', id, gives }, transfersOf(gives));
  } catch (error) {
    post({ kind: 'failed', id, failure: failureOf(error) });
  } finally {
    calls.delete(id);
  }
}

function post(reply: Reply, transfer: Transferable[] = []): void {
  self.postMessage(reply, { transfer });
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { name: error.name, message: error.message, ...code };
}
