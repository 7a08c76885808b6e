// Which view is seen. Each is loaded when it is first asked for.

import { byId, el } from '../ui/dom.js';
import { formatAddress, parseAddress, States } from './address.js';
import type { OpenView, View } from './view.js';

export interface Route {
  /** In the address. */
  readonly name: string;
  /** On the link to it. */
  readonly title: string;
  readonly load: () => Promise<{ open: OpenView }>;
}

interface Opened {
  readonly root: HTMLElement;
  readonly view: Promise<View>;
}

/** How long a view may write its state before it gets into the address: browsers refuse more than some writes a second. */
const WRITE_MS = 250;

export class Router {
  readonly #routes: readonly Route[];
  readonly #states = new States((view) => this.#written(view));
  readonly #opened = new Map<string, Opened>();
  readonly #links: ReadonlyMap<string, HTMLElement>;
  readonly #baseTitle = document.title;
  #current: Route | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param routes - the first one is what an address that names none leads to */
  constructor(routes: readonly Route[]) {
    this.#routes = routes;
    this.#links = new Map(routes.map(({ name, title }) => [name, el('a', { href: `#${name}` }, title)]));
    byId('nav').replaceChildren(el('ul', {}, ...[...this.#links.values()].map((link) => el('li', {}, link))));
    addEventListener('hashchange', () => this.#follow(true));
    addEventListener('pagehide', () => this.#write());
  }

  start(): void {
    this.#follow(false);
  }

  /** @param moves - whether the focus goes to the view, as it does with a click on a link */
  #follow(moves: boolean): void {
    const { view: name, state } = parseAddress(location.hash);
    const route = this.#routes.find((one) => one.name === name) ?? (this.#routes[0] as Route);
    clearTimeout(this.#timer);
    const isOther = route !== this.#current;
    // A link in the navigation carries no state: the view keeps the one it has.
    const isPlain = isOther && [...state.keys()].length === 0 && this.#opened.has(route.name);
    if (!isPlain) this.#states.replace(route.name, state);
    if (isOther) void this.#viewOf(this.#current)?.then((view) => view.hide?.());
    this.#current = route;
    this.#show(route, moves && isOther);
    this.#opened.get(route.name)?.view.then(
      (view) => {
        if (isOther) view.show?.();
        if (!isPlain) view.restore();
        else this.#write();
      },
      () => {},
    );
  }

  #viewOf(route: Route | undefined): Promise<View> | undefined {
    return route && this.#opened.get(route.name)?.view;
  }

  #show(route: Route, moves: boolean): void {
    if (!this.#opened.has(route.name)) this.#open(route);
    for (const [name, link] of this.#links) {
      if (name === route.name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    // Those too that stand in index.html and have not been opened.
    for (const { name } of this.#routes) {
      const root = document.getElementById(`view-${name}`);
      if (root) root.hidden = name !== route.name;
    }
    document.title = `${route.title} · ${this.#baseTitle}`;
    if (moves) {
      scrollTo({ top: 0 });
      this.#opened.get(route.name)?.root.focus({ preventScroll: true });
    }
  }

  #open(route: Route): void {
    const found = document.getElementById(`view-${route.name}`);
    const root = found ?? el('section', { id: `view-${route.name}` });
    root.setAttribute('aria-label', route.title);
    root.classList.add('view-root');
    root.tabIndex = -1;
    if (!found) byId('views').append(root);
    const view = this.#load(route, root);
    view.catch(() => {});
    this.#opened.set(route.name, { root, view });
  }

  async #load(route: Route, root: HTMLElement): Promise<View> {
    try {
      const { open } = await route.load();
      return open(root, this.#states.of(route.name));
    } catch (error) {
      root.replaceChildren(
        el(
          'p',
          { class: 'notice error', role: 'alert' },
          `${route.title} could not be loaded: ${(error as Error).message}. Reload the page to try again.`,
        ),
      );
      throw error;
    }
  }

  #written(view: string): void {
    if (view !== this.#current?.name) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#write(), WRITE_MS);
  }

  #write(): void {
    clearTimeout(this.#timer);
    if (!this.#current) return;
    const view = this.#current.name;
    const address = formatAddress({ view, state: this.#states.raw(view) });
    if (address !== location.hash && (location.hash !== '' || this.#states.raw(view).size > 0)) {
      history.replaceState(history.state, '', address);
    }
  }
}
