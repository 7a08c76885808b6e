// Runs before the page is shown. TypeDoc writes the same into each page, where the policy of the demo page forbids scripts.
document.documentElement.dataset.theme = localStorage.getItem('tsd-theme') || 'os';
document.body.style.display = 'none';
setTimeout(() => {
  if (window.app) window.app.showPage();
  else document.body.style.removeProperty('display');
}, 500);
// Opened as a file, the documentation has no demo page beside it.
if (location.protocol === 'file:') document.documentElement.dataset.alone = '';
