// The page: its views, each loaded when it is asked for.

import { keepForOffline } from './app/offline.js';
import { Router } from './app/router.js';
import { open as openExplore } from './explore/view.js';
import { byId } from './ui/dom.js';

// The skip link goes to what is seen, and leaves the address to the views.
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  const target = document.querySelector<HTMLElement>('.view-root:not([hidden]) .skip-target');
  (target ?? byId('views')).focus();
});

new Router([
  { name: 'explore', title: 'Explore', load: async () => ({ open: openExplore }) },
  { name: 'stability', title: 'Stability', load: () => import('./stability/view.js') },
  { name: 'training', title: 'Training', load: () => import('./training/view.js') },
  { name: 'geometry', title: 'Geometry', load: () => import('./geometry/view.js') },
  { name: 'speed', title: 'Speed', load: () => import('./speed/view.js') },
]).start();
void keepForOffline();
