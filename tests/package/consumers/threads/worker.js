import { tryToShare } from './share.js';

tryToShare(3).then((result) => postMessage(result));
