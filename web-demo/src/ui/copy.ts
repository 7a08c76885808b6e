// Text for the clipboard.

/** Puts a text into the clipboard. False when the browser does not let it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** How long a button says that it has done what it says. */
const SAID_MS = 2000;

/** A button that copies, and says whether it could: on itself, and to a live region for those who do not see it. */
export function copyButton(
  button: HTMLButtonElement,
  textOf: () => string,
  announce: (sentence: string) => void,
): void {
  const label = button.textContent ?? '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener('click', async () => {
    const done = await copyText(textOf());
    button.textContent = done ? 'Copied' : 'Not allowed';
    announce(done ? 'Copied.' : 'The browser does not let this page write to the clipboard.');
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = label;
    }, SAID_MS);
  });
}
