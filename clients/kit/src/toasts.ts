import { copyText } from './copy';
import { element } from './dom';
import { icon } from './icons';
import { kitWord } from './words';

export interface ToastAction {
  readonly label: string;
  run(): void | Promise<void>;
  /** Text of the button after `run` has succeeded. */
  readonly done?: string | undefined;
}

export interface Toast {
  readonly text: string;
  /** Default `info`. */
  readonly kind?: 'info' | 'error' | undefined;
  /** User input that was not saved. The toast offers to copy it. */
  readonly copy?: string | undefined;
  /** A button on the toast. Cannot be combined with `copy`. */
  readonly action?: ToastAction | undefined;
}

/** Milliseconds until a toast without an action closes. A toast with an action stays until the user closes it. */
const SHOWN_MS = 7000;
/** Maximum of toasts. Beyond it the oldest toasts without an action are removed. */
const MAX_SHOWN = 5;

let isClosed = false;

/** Removes all toasts and blocks new ones, because their user has left this document. */
export function closeToasts(): void {
  isClosed = true;
  document.querySelector('.toasts')?.remove();
}

/** Shows a toast and announces it to screen readers. Returns a function that removes it. */
export function showToast({ text, kind = 'info', copy, ...more }: Toast): () => void {
  if (isClosed) return () => {};
  const action = copy ? copyAction(copy) : more.action;
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
    title: kitWord('close'),
    attributes: { 'aria-label': kitWord('close') },
    onclick: remove,
  });
  close.append(icon('close'));
  toast.append(close);

  const shelf = region();
  shelf.append(toast);
  // A live region announces changes of its content, but not its initial content.
  requestAnimationFrame(() => (words.textContent = text));
  const passing = [...shelf.querySelectorAll('.toast:not([data-keep])')];
  for (const oldest of passing.slice(0, Math.max(0, shelf.childElementCount - MAX_SHOWN))) oldest.remove();
  if (!action) leaveAfter(toast, remove);
  return remove;
}

function copyAction(text: string): ToastAction {
  return { label: kitWord('copy'), done: kitWord('copied'), run: () => copyText(text) };
}

function leaveAfter(toast: HTMLElement, remove: () => void): void {
  let timer = setTimeout(remove, SHOWN_MS);
  toast.onpointerenter = () => clearTimeout(timer);
  toast.onpointerleave = () => (timer = setTimeout(remove, SHOWN_MS));
}

function region(): HTMLElement {
  const existing = document.querySelector<HTMLElement>('.toasts');
  if (existing) return existing;
  const made = element('section', { className: 'toasts', attributes: { 'aria-label': kitWord('notices') } });
  document.body.append(made);
  return made;
}
