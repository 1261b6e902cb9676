import { copyText, element, showToast } from '@dunlin/kit';

/** Shows a secret once. Resolves when the user closes the dialog. */
export function showSecret(secret: string, note: string): Promise<void> {
  const field = element('input', {
    className: 'input secret',
    readOnly: true,
    value: secret,
    attributes: { 'aria-label': 'New secret' },
  });
  const copy = element('button', { type: 'button', className: 'button button-primary', textContent: 'Copy' });
  const close = element('button', { type: 'button', className: 'button', textContent: 'Close' });
  const dialog = element(
    'dialog',
    { className: 'dialog', attributes: { 'aria-labelledby': 'secret-title' } },
    element('h2', { id: 'secret-title', textContent: 'The new secret' }),
    element('p', { textContent: note }),
    field,
    element('div', { className: 'dialog-actions' }, close, copy),
  );
  document.body.append(dialog);
  dialog.showModal();
  copy.focus();
  return new Promise((resolve) => {
    copy.onclick = () => {
      copyText(secret).then(
        () => (copy.textContent = 'Copied'),
        () => {
          field.select();
          showToast({ kind: 'error', text: 'The browser did not copy it. Copy the selected text.' });
        },
      );
    };
    close.onclick = () => dialog.close();
    dialog.onclose = () => {
      dialog.remove();
      resolve();
    };
  });
}
