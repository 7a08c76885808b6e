/** The element of index.html with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html lacks #${id}`);
  return element as T;
}

type Content = Node | string | null | undefined | false;

/** Makes an element. Attributes that are undefined or false are left out, true ones are empty. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | number | boolean | undefined> = {},
  ...content: Content[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of content) if (child) element.append(child);
  return element;
}

/** Shows a message in an element that is hidden without one, and marks the control that it is about. */
export function showError(
  element: HTMLElement,
  error: { message: string; code?: string | undefined } | undefined,
  ...controls: HTMLElement[]
): void {
  for (const control of controls) {
    if (error) control.setAttribute('aria-invalid', 'true');
    else control.removeAttribute('aria-invalid');
  }
  element.hidden = error === undefined;
  element.replaceChildren();
  if (!error) return;
  if (error.code) element.append(el('code', { class: 'error-code' }, error.code), ' ');
  element.append(error.message);
}

/** Runs a function once things have been quiet for a while. */
export function debounce<Args extends unknown[]>(
  milliseconds: number,
  run: (...args: Args) => void,
): (...args: Args) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), milliseconds);
  };
}
