// Threads need an isolated page. Where the host does not send the headers for that, the service worker adds them, from the next
// load on. The page never reloads by itself.

import { el } from '../ui/dom.js';
import { isKept } from './offline.js';

/** Says in this tab that a reload has been tried. */
const TRIED = 'layernorm-isolation-tried';

/** Fills an element with what a person can do about a page that is not isolated; hides it where the page is. */
export async function showIsolationHelp(root: HTMLElement): Promise<void> {
  root.hidden = globalThis.crossOriginIsolated;
  if (globalThis.crossOriginIsolated) return forget();
  const say = (text: string): void => root.replaceChildren(text);
  say('The page is being kept on this machine. When that is done, threads can be turned on here.');
  if (!(await isKept)) {
    say(
      globalThis.isSecureContext
        ? 'This browser keeps nothing of the page, as in a private window. Its host can turn threads on, with two headers.'
        : 'Threads need a page that comes by https, or from this machine.',
    );
    return;
  }
  if (hasTried()) {
    say(
      'The page was reloaded, and threads are still off: this browser does not let the page isolate itself.',
    );
    return;
  }
  const button = el(
    'button',
    { class: 'button', type: 'button', id: 'isolate' },
    'Turn threads on (reloads the page)',
  );
  button.addEventListener('click', () => {
    remember();
    location.reload();
  });
  root.replaceChildren(button);
}

// Storage may be forbidden: then the button is offered again.

function hasTried(): boolean {
  try {
    return sessionStorage.getItem(TRIED) !== null;
  } catch {
    return false;
  }
}

function remember(): void {
  try {
    sessionStorage.setItem(TRIED, 'yes');
  } catch {}
}

function forget(): void {
  try {
    sessionStorage.removeItem(TRIED);
  } catch {}
}
