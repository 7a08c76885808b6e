// Training: layers that learn, and what they do to gradients on the way.

import './training.css';
import type { OpenView } from '../app/view.js';
import { el } from '../ui/dom.js';
import { WorkClient } from '../worker/client.js';
import { GradientView } from './gradient_view.js';
import type { Progress, Requests } from './protocol.js';
import { RunView } from './run_view.js';

export const open: OpenView = (root, state) => {
  const client = new WorkClient<Requests, Progress>('training', (progress) => run.show(progress));
  const run = new RunView(client, state);
  const gradients = new GradientView(client, state);
  root.classList.add('training');
  root.append(
    el('h2', {}, 'γ and β learn'),
    el(
      'p',
      { class: 'lead' },
      'A normalization layer has weights of its own: a factor γ and a summand β for every element. Each step here is a ' +
        'forward pass, a backward pass and an update of the package’s LayerNormalization.',
    ),
    run.element,
    el('h2', {}, 'What gradients layer norm removes'),
    el(
      'p',
      { class: 'lead' },
      'Layer norm does not care where x lies and how far it is stretched. So on the way back no gradient can ask it to shift ' +
        'x, or to stretch it: these two parts are taken out.',
    ),
    gradients.element,
  );
  return {
    restore: () => {
      run.restore();
      gradients.restore();
    },
    hide: () => run.pause(),
  };
};
