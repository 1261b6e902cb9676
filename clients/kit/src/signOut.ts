import { element } from './dom';
import { kitWord } from './words';

/** Asks the user to confirm a sign-out with `count` unsent changes. Resolves with the answer, or with `true` when `count` is 0. */
export function maySignOut(name: string, count: number): Promise<boolean> {
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
