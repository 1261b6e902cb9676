import { element } from '@dunlin/kit';
import { ApiError } from '../api/api';

export interface Preemption {
  readonly resource: string;
  readonly holder: string;
  /** Name of the first waiter. */
  readonly next?: string | undefined;
  /** Sends the preemption. A rejection is shown, and the dialog stays open. */
  readonly send: (reason: string, graceSeconds: number) => Promise<void>;
}

const graces: readonly (readonly [seconds: number, label: string])[] = [
  [0, 'At once: what is not saved is lost'],
  [10, '10 seconds'],
  [30, '30 seconds'],
  [60, '1 minute'],
  [300, '5 minutes'],
];

const DEFAULT_GRACE = 30;

/** Asks for reason and grace period of a preemption, and sends it. Resolves with whether it was sent. */
export function askPreemption({ resource, holder, next, send }: Preemption): Promise<boolean> {
  const reason = element('input', { className: 'input', required: true, maxLength: 200 });
  const grace = element(
    'select',
    { className: 'input' },
    ...graces.map(([seconds, label]) => element('option', { value: String(seconds), textContent: label })),
  );
  grace.value = String(DEFAULT_GRACE);
  const failure = element('p', {
    className: 'notice notice-bad',
    hidden: true,
    attributes: { role: 'alert' },
  });
  const yes = element('button', {
    type: 'submit',
    className: 'button button-danger',
    textContent: 'Preempt the lease',
  });
  const no = element('button', { type: 'button', className: 'button', textContent: 'Cancel' });
  const form = element(
    'form',
    { className: 'sign-in' },
    element('p', {
      textContent: `${holder} receives the reason, may still save, and then loses ${resource}. ${next ? `${next} gets it.` : 'It is free then.'}`,
    }),
    element('label', { className: 'field' }, `Reason, which ${holder} receives`, reason),
    element('label', { className: 'field' }, `Time in which ${holder} may still save`, grace),
    failure,
    element('div', { className: 'dialog-actions' }, no, yes),
  );
  const dialog = element(
    'dialog',
    { className: 'dialog', attributes: { 'aria-labelledby': 'preempt-title' } },
    element('h2', { id: 'preempt-title', textContent: 'Preempt this lease?' }),
    form,
  );
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
  return new Promise((resolve) => {
    let isSent = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      yes.disabled = true;
      failure.hidden = true;
      try {
        await send(reason.value.trim(), Number(grace.value));
        isSent = true;
        dialog.close();
      } catch (error) {
        failure.textContent = error instanceof ApiError ? error.message : String(error);
        failure.hidden = false;
      } finally {
        yes.disabled = false;
      }
    };
    no.onclick = () => dialog.close();
    dialog.onclose = () => {
      dialog.remove();
      resolve(isSent);
    };
  });
}
