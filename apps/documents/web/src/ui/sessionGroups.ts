import { element, icon } from '@dunlin/kit';
import type { LockList, SessionInfo } from '../api/types';
import type { Library } from '../state/library';
import { age, shortDate } from './dates';

export interface SessionActions {
  endSessions(sessionIds: readonly string[]): void;
  endLock(fileId: string): void;
}

export interface SessionView {
  readonly now: number;
  /** Whether a server did not answer, which may have open pages. */
  readonly isPartial: boolean;
}

/** Returns the sessions grouped by user: users by name, the newest session of each first. */
export function groupByUser(sessions: readonly SessionInfo[]): readonly (readonly SessionInfo[])[] {
  const groups = new Map<string, SessionInfo[]>();
  for (const session of sessions) {
    const group = groups.get(session.username);
    if (group) group.push(session);
    else groups.set(session.username, [session]);
  }
  for (const group of groups.values())
    group.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  return [...groups.values()].sort((a, b) => a[0]!.full_name.localeCompare(b[0]!.full_name));
}

/** Creates the entry of one user. Several sessions fold into one line. */
export function userEntry(
  sessions: readonly SessionInfo[],
  view: SessionView,
  actions: SessionActions,
): HTMLElement {
  const [newest] = sessions;
  const { username, full_name: name } = newest!;
  if (sessions.length === 1)
    return element('li', { data: { session: username } }, sessionRow(newest!, view, actions, name));
  const stale = sessions.filter(({ connections, is_mine: isMine }) => connections === 0 && !isMine);
  const open = sessions.length - stale.length;
  const since = age(Date.parse(newest!.created_at), view.now);
  const pages = open === 0 ? noPage(view) : `${open} with an open page`;
  const endStale = element('button', {
    type: 'button',
    className: 'button button-small',
    textContent: `End ${stale.length} without a page`,
    attributes: { 'aria-label': `End the ${stale.length} sessions of ${name} without an open page` },
    onclick: () => actions.endSessions(stale.map(({ session_id: id }) => id)),
  });
  return element(
    'li',
    { data: { session: username, sessions: String(sessions.length) } },
    element(
      'details',
      {},
      element(
        'summary',
        {},
        icon('user'),
        lines(name, `${sessions.length} sessions, ${pages}, the newest ${since}`),
      ),
      stale.length > 0 && endStale,
      element(
        'ul',
        { className: 'sessions-of' },
        ...sessions.map((each) =>
          element('li', {}, sessionRow(each, view, actions, each.description || 'Session')),
        ),
      ),
    ),
  );
}

/** Creates the entries of the locks: one of each document, with its locked files. */
export function lockEntries(
  { locks }: LockList,
  library: Library,
  now: number,
  actions: SessionActions,
): HTMLElement[] {
  const byDocument = new Map<string, HTMLElement[]>();
  for (const { file_id: fileId, locked_by: holder } of locks) {
    const found = library.find(fileId);
    const title = found?.document.title ?? 'Another document';
    const name = found ? `Version ${found.file.version}` : fileId;
    const waits = holder.queue.length > 0 ? `, then ${holder.queue.join(', ')}` : '';
    const row = element(
      'div',
      { className: 'session-row', data: { lock: fileId } },
      icon('lock'),
      lines(`${name}: ${holder.name}${waits}`, `since ${age(Date.parse(holder.since), now)}`),
      element('button', {
        type: 'button',
        className: 'button button-small',
        textContent: 'End',
        attributes: { 'aria-label': `End the lock of ${holder.name} on ${title}, ${name}` },
        onclick: () => actions.endLock(fileId),
      }),
    );
    byDocument.set(title, [...(byDocument.get(title) ?? []), row]);
  }
  return [...byDocument]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([title, rows]) => element('li', {}, element('h4', { textContent: title }), ...rows));
}

function sessionRow(
  session: SessionInfo,
  view: SessionView,
  actions: SessionActions,
  title: string,
): HTMLElement {
  const since = age(Date.parse(session.created_at), view.now);
  const pages = session.connections === 0 ? noPage(view) : 'page open';
  const end = element('button', {
    type: 'button',
    className: 'button button-small',
    textContent: 'End',
    disabled: session.is_mine,
    attributes: {
      'aria-label': `End the session of ${session.full_name}${title === session.full_name ? '' : `, begun ${since}`}`,
    },
    onclick: () => actions.endSessions([session.session_id]),
  });
  const words = lines(title, `${session.is_mine ? 'this session, ' : ''}begun ${since}, ${pages}`);
  words.title = `${session.description}, ${shortDate(session.created_at)}`;
  return element('div', { className: 'session-row' }, icon('user'), words, end);
}

// A server that did not answer may have an open page.
function noPage({ isPartial }: SessionView): string {
  return isPartial ? 'no open page known' : 'no page open';
}

function lines(title: string, detail: string): HTMLElement {
  return element(
    'span',
    { className: 'session-words' },
    element('strong', { textContent: title }),
    element('small', { className: 'muted', textContent: detail }),
  );
}
