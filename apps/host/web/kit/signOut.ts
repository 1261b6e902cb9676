import { element } from './dom';
import { unsentChanges } from './page';
import { kitWord } from './words';

/** Where changes are not sent yet, says how many and what becomes of them, and asks. */
export function maySignOut(name: string): Promise<boolean> {
  const count = unsentChanges();
  if (count === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const stay = element('button', { type: 'submit', className: 'button', textContent: kitWord('stay') });
    const leave = element('button', {
      type: 'submit',
      className: 'button button-primary',
      value: 'leave',
      textContent: kitWord('signOut'),
    });
    const title = count === 1 ? kitWord('unsentOne') : kitWord('unsentMany', String(count));
    const dialog = element(
      'dialog',
      { className: 'dialog', data: { unsent: String(count) }, attributes: { 'aria-label': title } },
      element('h2', { textContent: title }),
      element('p', { className: 'muted', textContent: kitWord('unsentText', name) }),
      element('form', { method: 'dialog' }, element('div', { className: 'dialog-actions' }, stay, leave)),
    );
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === 'leave');
    };
    document.body.append(dialog);
    dialog.showModal();
  });
}
