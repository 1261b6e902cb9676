import { element } from './dom';

/** Copies a text to the clipboard. Insecure contexts have no `navigator.clipboard`, so they use `execCommand`. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element('textarea', { value: text, className: 'visually-hidden' });
  // While a modal dialog is open, only its content can be selected.
  (document.querySelector('dialog:modal') ?? document.body).append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (!isDone) throw new Error('The browser did not let the page copy the text.');
}
