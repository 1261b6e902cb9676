import { element } from './dom';

/**
 * Copies a text to the clipboard. Insecure contexts have no `navigator.clipboard`, and a browser may refuse it to a page; both use
 * `execCommand`. The focus stays where it is.
 */
export async function copyText(text: string): Promise<void> {
  if (await isWritten(text)) return;
  const focused = document.activeElement;
  const area = element('textarea', { value: text, className: 'visually-hidden' });
  // While a modal dialog is open, only its content can be selected.
  (document.querySelector('dialog:modal') ?? document.body).append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!isDone) throw new Error('The browser did not let the page copy the text.');
}

async function isWritten(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
