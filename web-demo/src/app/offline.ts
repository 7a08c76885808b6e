// Keeps the page for the time without a network, once it has nothing better to do.

/** After the page has loaded, so that what is downloaded then does not delay the first result. */
const WAIT_MS = 1500;

let settle: (isKept: boolean) => void;

/** Whether the service worker answers from the next load on. Resolves when that is known, which may take a while. */
export const isKept = new Promise<boolean>((resolve) => {
  settle = resolve;
});

/** Registers the service worker of a built page. */
export async function keepForOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return settle(false);
  await idle();
  try {
    const { controller } = navigator.serviceWorker;
    const registration = await navigator.serviceWorker.register('./sw.js');
    controller?.postMessage('loaded');
    const { installing } = registration;
    installing?.addEventListener('statechange', () => {
      // It could not download all files, or not store them.
      if (installing.state === 'redundant' && !registration.active) settle(false);
    });
    await navigator.serviceWorker.ready;
    settle(true);
  } catch {
    // A browser that refuses, as in a private window, or no network: the page works without.
    settle(false);
  }
}

async function idle(): Promise<void> {
  if (document.readyState !== 'complete') {
    await new Promise((resolve) => addEventListener('load', resolve, { once: true }));
  }
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  if ('requestIdleCallback' in globalThis) await new Promise((resolve) => requestIdleCallback(resolve));
}
