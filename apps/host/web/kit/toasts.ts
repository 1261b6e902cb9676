import { element } from './dom';
import { icon } from './icons';

export interface ToastAction {
  readonly label: string;
  run(): void | Promise<void>;
  /** Shown on the button once it has worked. */
  readonly done?: string | undefined;
}

export interface Toast {
  readonly text: string;
  readonly kind?: 'info' | 'error' | undefined;
  readonly action?: ToastAction | undefined;
}

/** How long a toast without an action stays; one with an action stays until it is closed, so that nothing is lost. */
const SHOWN_MS = 7000;
/** More than these push out the oldest that has no action. */
const MAX_SHOWN = 5;

let isClosed = false;

/** Takes all notices away, and shows none any more: they are of a user who has left this document. */
export function closeToasts(): void {
  isClosed = true;
  document.querySelector('.toasts')?.remove();
}

/** Says something at the edge of the page, to the eye and to screen readers. Returns what takes it away. */
export function showToast({ text, kind = 'info', action }: Toast): () => void {
  if (isClosed) return () => {};
  const words = element('span', { className: 'toast-text' });
  const toast = element(
    'div',
    { className: `toast toast-${kind}`, attributes: { role: 'status' }, data: action ? { keep: '' } : {} },
    icon(kind === 'error' ? 'alert' : 'info'),
    words,
  );
  const remove = () => toast.remove();
  if (action) {
    const button = element('button', {
      type: 'button',
      className: 'button button-small',
      textContent: action.label,
    });
    button.onclick = async () => {
      await action.run();
      if (action.done) button.textContent = action.done;
    };
    toast.append(button);
  }
  const close = element('button', {
    type: 'button',
    className: 'icon-button',
    title: 'Close',
    attributes: { 'aria-label': 'Close' },
    onclick: remove,
  });
  close.append(icon('close'));
  toast.append(close);

  const shelf = region();
  shelf.append(toast);
  // A live region announces what changes in it, not what it is born with.
  requestAnimationFrame(() => (words.textContent = text));
  const passing = [...shelf.querySelectorAll('.toast:not([data-keep])')];
  for (const oldest of passing.slice(0, Math.max(0, shelf.childElementCount - MAX_SHOWN))) oldest.remove();
  if (!action) leaveAfter(toast, remove);
  return remove;
}

function leaveAfter(toast: HTMLElement, remove: () => void): void {
  let timer = setTimeout(remove, SHOWN_MS);
  toast.onpointerenter = () => clearTimeout(timer);
  toast.onpointerleave = () => (timer = setTimeout(remove, SHOWN_MS));
}

function region(): HTMLElement {
  const existing = document.querySelector<HTMLElement>('.toasts');
  if (existing) return existing;
  const made = element('div', { className: 'toasts', attributes: { 'aria-label': 'Notices' } });
  document.body.append(made);
  return made;
}
