import { element } from '@dunlin/kit';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** Text of the button that confirms. */
  readonly action: string;
}

/** Asks before an action that cannot be undone. Resolves with whether the user confirmed. */
export function confirmAction({ title, text, action }: Question): Promise<boolean> {
  const yes = element('button', { type: 'button', className: 'button button-danger', textContent: action });
  const no = element('button', { type: 'button', className: 'button', textContent: 'Cancel' });
  const dialog = element(
    'dialog',
    { className: 'dialog', attributes: { 'aria-labelledby': 'confirm-title' } },
    element('h2', { id: 'confirm-title', textContent: title }),
    element('p', { textContent: text }),
    element('div', { className: 'dialog-actions' }, no, yes),
  );
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    yes.onclick = () => dialog.close('yes');
    no.onclick = () => dialog.close();
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    };
  });
}
