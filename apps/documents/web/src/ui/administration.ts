import { problemOf } from '@dunlin/client';
import { element, icon, showToast } from '@dunlin/kit';
import type { DocumentsApi } from '../api/documents';
import type { Maintenance, SessionInfo } from '../api/types';
import { field } from './dialogs';
import { shortDate } from './fileList';

/** Opens the administrators' dialog: sessions, a notification to all users, maintenance. */
export function openAdministration(api: DocumentsApi, maintenance: Maintenance): void {
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
    element('h3', { textContent: 'Sessions' }),
    missing,
    sessions,
    element('div', { className: 'dialog-actions' }, close),
  );

  const load = () =>
    tried(async () => {
      const { sessions: all, silent_nodes: silent = 0 } = await api.sessions();
      missing.hidden = silent === 0;
      missing.textContent = missingWords(silent);
      sessions.replaceChildren(...all.map((session) => row(session, silent > 0)));
    });
  const row = (session: SessionInfo, isPartial: boolean) => {
    const end = element('button', {
      type: 'button',
      className: 'button button-small',
      textContent: 'End',
      disabled: session.is_mine,
      attributes: { 'aria-label': `End the session of ${session.full_name}` },
    });
    end.onclick = () =>
      tried(async () => {
        await api.endSession(session.session_id);
        await load();
      });
    // A server that did not answer may have an open page.
    const none = isPartial ? 'no open page known' : 'no page open';
    const pages = session.connections === 0 ? none : 'page open';
    return element(
      'li',
      { data: { session: session.username } },
      icon('user'),
      element(
        'span',
        {},
        element('strong', { textContent: session.full_name }),
        element('small', {
          className: 'muted',
          textContent: `${session.is_mine ? 'this session, ' : ''}since ${shortDate(session.created_at)}, ${pages}`,
          title: session.description,
        }),
      ),
      end,
    );
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
