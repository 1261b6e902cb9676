import { problemOf } from '@dunlin/client';
import { element, showToast } from '@dunlin/kit';
import type { DocumentsApi } from '../api/documents';
import type { Library } from '../state/library';
import { field } from './dialogs';
import { groupByUser, lockEntries, userEntry, type SessionActions } from './sessionGroups';

/** Opens the administrators' dialog: maintenance, a notification to all users, locks by document, sessions by user. */
export function openAdministration(api: DocumentsApi, library: Library): void {
  const maintenance = library.list?.maintenance ?? { on: false, message: '' };
  const locks = element('ul', { className: 'sessions locks' });
  const sessions = element('ul', { className: 'sessions' });
  const missing = element('p', {
    className: 'muted sessions-missing',
    hidden: true,
    attributes: { role: 'status' },
  });
  const message = element('input', { className: 'input', maxLength: 500, required: true });
  const notify = element('form', { className: 'admin-row' }, field('To everybody', message), button('Send'));
  const reason = element('input', { className: 'input', maxLength: 500, value: maintenance.message });
  const isOn = element('input', { type: 'checkbox', checked: maintenance.on });
  const toggle = element('label', { className: 'switch' }, isOn, 'Only administrators may save');
  const close = element('button', { type: 'button', className: 'button', textContent: 'Close' });
  const dialog = element(
    'dialog',
    { className: 'dialog administration', attributes: { 'aria-label': 'Administration' } },
    element('h2', { textContent: 'Administration' }),
    element('h3', { textContent: 'Maintenance' }),
    element('div', { className: 'admin-row' }, field('Said to everybody', reason), toggle),
    element('h3', { textContent: 'Notification' }),
    notify,
    element('h3', { textContent: 'Open for editing' }),
    locks,
    element('h3', { textContent: 'Sessions' }),
    missing,
    sessions,
    element('div', { className: 'dialog-actions' }, close),
  );

  const load = () =>
    tried(async () => {
      const [held, { sessions: all, silent_nodes: silent = 0 }] = await Promise.all([
        api.locks(),
        api.sessions(),
      ]);
      const view = { now: Date.parse(held.server_now), isPartial: silent > 0 };
      missing.hidden = silent === 0;
      missing.textContent = missingWords(silent);
      const none = element('li', { className: 'muted', textContent: 'Nobody edits a document.' });
      const entries = lockEntries(held, library, view.now, actions);
      locks.replaceChildren(...(entries.length > 0 ? entries : [none]));
      sessions.replaceChildren(...groupByUser(all).map((group) => userEntry(group, view, actions)));
    });
  const actions: SessionActions = {
    endSessions: (ids) =>
      void tried(async () => {
        for (const id of ids) await api.endSession(id);
      }).then(load),
    endLock: (fileId) => void tried(() => api.forceRelease(fileId)).then(load),
  };

  notify.onsubmit = (event) => {
    event.preventDefault();
    void tried(async () => {
      await api.notifyAll(message.value, 'primary');
      message.value = '';
      showToast({ text: 'Sent to everybody' });
    });
  };
  isOn.onchange = () => tried(() => api.setMaintenance({ on: isOn.checked, message: reason.value }));
  close.onclick = () => dialog.close();
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  void load();
}

function missingWords(silent: number): string {
  const who = silent === 1 ? 'One server has' : `${silent} servers have`;
  return `${who} not answered just now. Pages that are open there are not shown; a session that you end ends there too.`;
}

function button(text: string): HTMLButtonElement {
  return element('button', { type: 'submit', className: 'button', textContent: text });
}

async function tried(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    showToast({ kind: 'error', text: problemOf(error).title });
  }
}
