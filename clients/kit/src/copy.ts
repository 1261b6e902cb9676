import { element } from './dom';

/** Puts a text on the clipboard. Outside of secure contexts (plain http) there is only the older way. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element('textarea', { value: text, className: 'visually-hidden' });
  // In an open dialog only what is inside of it can be selected.
  (document.querySelector('dialog:modal') ?? document.body).append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (!isDone) throw new Error('The browser did not let the page copy the text.');
}
