// Asks scope.js in every scope that it can run in.

const answer = (target) =>
  new Promise((resolve, reject) => {
    target.onmessage = ({ data }) => resolve(data);
    target.onerror = ({ message }) => reject(new Error(message));
  });

const SCOPES = {
  worker: () => answer(new Worker('./scope.js')),

  sharedWorker: () => answer(new SharedWorker('./scope.js').port),

  async serviceWorker() {
    await navigator.serviceWorker.register('./scope.js');
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    active.postMessage('compute', [port2]);
    return answer(port1);
  },

  async audioWorklet() {
    const context = new OfflineAudioContext(1, 128, 44_100);
    await context.audioWorklet.addModule('./scope.js');
    return answer(new AudioWorkletNode(context, 'layernorm').port);
  },
};

async function results() {
  const entries = Object.entries(SCOPES).map(async ([name, ask]) => [name, await ask()]);
  return Object.fromEntries(await Promise.all(entries));
}

globalThis.results = results();
