import { element } from '@dunlin/kit';

export interface DialogOptions {
  readonly title: string;
  readonly content: readonly HTMLElement[];
  readonly accept: string;
  readonly isDangerous?: boolean | undefined;
}

/** Asks for a confirmation. Resolves with `true` if the user accepted. Escape and Cancel give `false`. */
export function ask({ title, content, accept, isDangerous }: DialogOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = element('button', { type: 'button', className: 'button', textContent: 'Cancel' });
    const dialog = element(
      'dialog',
      { className: 'dialog', attributes: { 'aria-label': title } },
      element('h2', { textContent: title }),
      element(
        'form',
        { className: 'form', method: 'dialog' },
        ...content,
        element(
          'div',
          { className: 'dialog-actions' },
          cancel,
          element('button', {
            type: 'submit',
            className: `button ${isDangerous ? 'button-danger' : 'button-primary'}`,
            textContent: accept,
          }),
        ),
      ),
    );
    cancel.onclick = () => dialog.close();
    dialog.querySelector('form')!.onsubmit = (event) => {
      event.preventDefault();
      dialog.close('yes');
    };
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    };
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function field(label: string, input: HTMLElement): HTMLLabelElement {
  return element('label', { className: 'field' }, label, input);
}
