async function controlled() {
  await navigator.serviceWorker.register('sw.js');
  if (navigator.serviceWorker.controller) return; // from the second visit on
  await new Promise((resolve) => {
    navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true });
  });
}

async function normalize(x, dims) {
  const response = await fetch(`/normalize?dims=${dims}`, { method: 'POST', body: x });
  if (!response.ok) throw new Error((await response.json()).code);
  return new Float32Array(await response.arrayBuffer());
}

async function main() {
  const before = Boolean(navigator.serviceWorker.controller);
  await controlled();
  const y = await normalize(new Float32Array([1, 2, 3, 10, 20, 60]), 3);
  const state = `the service worker has ${before ? 'been here before' : 'just been installed'}`;
  document.getElementById('result').textContent = [state, ...y].join('\n');
}

main();
