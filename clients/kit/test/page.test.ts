// @vitest-environment happy-dom
import { DunlinError, type Problem, type Requests } from '@dunlin/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startPage, type RunningPage, type Stop } from '../src/page';
import { Session, type User } from '../src/session';
import { showToast } from '../src/toasts';
import { setKitWords } from '../src/words';
import type { PageSession } from '../src/pageSession';

interface Sent {
  readonly call: string;
  readonly user: string | undefined;
}

let cookie: User | undefined;
let sent: Sent[];
let answers: Record<string, () => Promise<unknown>>;
let log: string[];
let reload: ReturnType<typeof vi.fn>;
let sessions: Session[];
let errors: unknown[];

const user = (userId: string): User => ({ userId, name: userId.toUpperCase(), roles: [] });
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
const failure = (kind: Problem['kind']) => new DunlinError({ kind, code: kind, title: kind } as Problem);
const text = () => document.title + document.body.innerHTML;

/** A server with one session cookie, which all tabs of a browser share. */
const requests = {
  send: async (method: string, path: string, { headers }: { headers?: Record<string, string> } = {}) => {
    const call = `${method} ${path.split('/').at(-1)}`;
    sent.push({ call, user: headers?.['Dunlin-User'] });
    if (call === 'GET demo') throw failure('notFound');
    const special = answers[call];
    if (special) return { body: await special() };
    if (headers?.['Dunlin-User'] && cookie && headers['Dunlin-User'] !== cookie.userId)
      throw failure('signedOut');
    if (call === 'POST logout') cookie = undefined;
    if (call === 'POST refresh' && !cookie) throw failure('signedOut');
    const { userId = null, name: fullName = null } = cookie ?? {};
    return { body: { signedIn: cookie !== undefined, userId, fullName, roles: [] } };
  },
} as unknown as Requests;

function tab(): Session {
  const session = new Session(requests);
  sessions.push(session);
  return session;
}

function open(
  session: Session,
  more: { start?: (page: PageSession) => Promise<Stop> | Stop; isOffline?: boolean } = {},
): RunningPage {
  return startPage({
    session,
    title: 'Things',
    home: '/things',
    reason: 'Sign in to see your things.',
    start: (page) => {
      const {
        root,
        user: { userId },
      } = page;
      root.innerHTML = `<p>Things of ${userId}</p>`;
      document.title = `Things of ${userId}`;
      document.body.append(document.createElement('dialog'));
      log.push(`open ${userId}`);
      page.trackUnsent({ count: () => 2 });
      return () => void log.push(`close ${userId}`);
    },
    ...more,
  });
}

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  document.body.innerHTML = '<div id="page"></div>';
  document.title = 'Things';
  history.replaceState(null, '', '/things/1');
  [cookie, sent, answers, log, sessions] = [user('bob'), [], {}, [], []];
  errors = [];
  vi.stubGlobal('reportError', (error: unknown) => errors.push(error));
  reload = vi.fn();
  vi.spyOn(location, 'reload').mockImplementation(reload as never);
});

afterEach(() => {
  for (const session of sessions) session.dispose();
  vi.restoreAllMocks();
  expect(errors).toEqual([]);
});

// This suite runs first, because closing a user's page disables the toasts of the document.
describe('The header', () => {
  const signOut = () => [...document.querySelectorAll<HTMLButtonElement>('.menu-item')].at(-1)!.click();

  test('sends unsent changes before the sign-out and asks about the rest', async () => {
    let unsent = 2;
    const flush = vi.fn(() => Promise.resolve(void (unsent = 1)));
    const session = tab();
    open(session, {
      start: (page) => {
        page.trackUnsent({ count: () => unsent, flush });
        return () => void log.push('closed');
      },
    });
    await settle();
    signOut();
    await settle();
    expect(flush).toHaveBeenCalledOnce();
    expect(document.querySelector('dialog')?.dataset['unsent']).toBe('1');
    expect([session.user?.userId, log]).toEqual(['bob', []]);
  });

  test('keeps the user signed in and shows an error when sign-out fails', async () => {
    const session = tab();
    open(session, { start: () => () => {} });
    await settle();
    answers['POST logout'] = () => Promise.reject(failure('network'));
    signOut();
    await vi.waitFor(() =>
      expect(document.querySelector('.toast-error')?.textContent).toMatch(/the server cannot be reached/),
    );
    expect(session.user?.userId).toBe('bob');
  });

  test('shows the connection state and new texts of the kit at once', async () => {
    let page!: PageSession;
    open(tab(), { start: (started) => ((page = started), () => {}) });
    await settle();
    page.showConnection({
      name: 'waiting',
      stream: 1,
      attempt: 1,
      delayMs: 1,
      serverMandated: false,
      refresh: false,
    });
    expect(document.querySelector<HTMLElement>('.connection')?.dataset['connection']).toBe('reconnecting');
    page.showConnection(undefined);
    expect(document.querySelector<HTMLElement>('.connection')?.hidden).toBe(true);
    setKitWords({ signOut: 'Abmelden' });
    expect([...document.querySelectorAll('.menu-item')].at(-1)?.textContent).toBe('Abmelden');
    setKitWords({ signOut: 'Sign out' });
  });
});

describe('A page', () => {
  test('is empty at once when its user signs out and counts pending changes', async () => {
    const session = tab();
    const page = open(session);
    await settle();
    expect([log, page.unsent]).toEqual([['open bob'], 2]);
    showToast({ text: 'A notice for bob' });
    session.markSignedOut();
    expect(log).toEqual(['open bob', 'close bob']);
    expect(text()).not.toMatch(/bob|<dialog/);
    expect(document.querySelector('[data-gate] [data-waiting="2"]')).not.toBeNull();
    showToast({ text: 'A late notice for bob' });
    await settle();
    expect(text()).not.toMatch(/notice/);
  });

  test('closes after a sign-out in another tab and reloads at the next sign-in', async () => {
    open(tab());
    await settle();
    const other = tab();
    await other.load();
    await other.signOut();
    await settle();
    expect(log).toEqual(['open bob', 'close bob']);
    expect([text().includes('bob'), reload.mock.calls.length]).toEqual([false, 0]);
    cookie = user('bob');
    await other.load();
    await settle();
    expect([reload.mock.calls.length, location.pathname]).toEqual([1, '/things/1']);
  });

  test('stores its changes and yields to a user who signed in in another tab', async () => {
    let keep!: () => void;
    const kept = new Promise<void>((resolve) => (keep = resolve));
    open(tab(), { start: ({ user: { userId } }) => (log.push(userId), () => kept) });
    await settle();
    cookie = user('carol');
    await tab().load();
    await settle();
    expect([log, reload.mock.calls.length]).toEqual([['bob'], 0]);
    keep();
    await settle();
    expect([log, reload.mock.calls.length, location.pathname]).toEqual([['bob'], 1, '/things']);
  });

  test('closes after its construction if its user signed out meanwhile', async () => {
    let made!: (stop: Stop) => void;
    const session = tab();
    open(session, { start: () => new Promise((resolve) => (made = resolve)) });
    await settle();
    session.markSignedOut();
    made(() => void log.push('closed'));
    await settle();
    expect(log).toEqual(['closed']);
  });

  test('asks once more who is signed in after its session was refused', async () => {
    const session = tab();
    open(session);
    await settle();
    cookie = undefined;
    vi.useFakeTimers();
    session.markSignedOut();
    await vi.advanceTimersByTimeAsync(100);
    // The answer of a sign-in elsewhere reaches the browser now.
    cookie = user('carol');
    await vi.advanceTimersByTimeAsync(2_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
  });

  test('repeats a failed check of a refused session until it is answered', async () => {
    const session = tab();
    open(session);
    await settle();
    cookie = user('carol');
    let checks = 0;
    answers['GET status'] = () => {
      if (++checks === 2) delete answers['GET status'];
      return Promise.reject(failure('network'));
    };
    vi.useFakeTimers();
    session.markSignedOut();
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
    expect([checks, log]).toEqual([2, ['open bob', 'close bob']]);
  });

  test('reloads 3 times when a valid session is refused, then asks to sign in', async () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const session = tab();
      open(session);
      await settle();
      session.markSignedOut();
      await settle();
      // Stands for the reload of the document.
      session.dispose();
    }
    expect(reload.mock.calls.length).toBe(3);
    expect(document.querySelector('[data-gate]')).not.toBeNull();
  });

  test('opens offline for the last user and for nobody after a sign-out', async () => {
    await tab().load();
    answers['GET status'] = () => Promise.reject(failure('network'));
    open(tab(), { isOffline: true });
    await settle();
    expect(log).toEqual(['open bob']);
    delete answers['GET status'];
    await sessions.at(-1)!.signOut();
    answers['GET status'] = () => Promise.reject(failure('network'));
    open(tab(), { isOffline: true });
    await settle();
    expect(log).toEqual(['open bob', 'close bob']);
    expect(document.querySelector('[data-gate]')).not.toBeNull();
  });
});

describe('A public page', () => {
  const show = (page: PageSession<User | undefined>): Stop => {
    const render = () => (page.root.textContent = `${page.state.name} ${page.user?.userId ?? 'nobody'}`);
    render();
    return page.subscribe(render);
  };
  const openPublic = (session: Session) =>
    startPage({
      session,
      title: undefined,
      home: '/',
      reason: '',
      isPublic: true,
      start: show,
      visit: show,
    });
  const shown = () => document.querySelector('.page-body')?.textContent;

  test('replaces the sign-in page and stays after a sign-out', async () => {
    const session = tab();
    openPublic(session);
    expect(shown()).toBe('unknown nobody');
    await settle();
    expect(shown()).toBe('signedIn bob');
    await session.signOut();
    await settle();
    expect(shown()).toBe('signedOut nobody');
    expect([reload.mock.calls.length, document.querySelector('[data-gate]')]).toEqual([0, null]);
    expect(document.querySelectorAll('.header')).toHaveLength(1);
  });

  test('reports that the server cannot be reached', async () => {
    answers['GET status'] = () => Promise.reject(failure('network'));
    openPublic(tab());
    await settle();
    expect(shown()).toBe('unreachable nobody');
  });
});

describe('A session', () => {
  test('names its user in refresh and sign-out and ends no other session', async () => {
    const session = tab();
    await session.load();
    cookie = user('carol');
    expect(await session.refresh()).toBe(false);
    await session.signOut();
    expect([cookie?.userId, session.user?.userId]).toEqual(['carol', 'carol']);
    expect(sent.filter(({ call }) => call.startsWith('POST')).map(({ user: named }) => named)).toEqual([
      'bob',
      'bob',
    ]);
  });

  test('ignores a note of another tab from before its session was refused', async () => {
    const session = tab();
    open(session);
    await settle();
    const note = { user: user('bob'), at: Date.now() };
    cookie = undefined;
    answers['GET status'] = () => new Promise(() => {});
    session.markSignedOut();
    const other = new BroadcastChannel('dunlin.session');
    other.postMessage(note);
    await settle();
    expect([session.state.name, reload.mock.calls.length]).toEqual(['signedOut', 0]);
    other.postMessage({ user: user('carol'), at: note.at });
    await vi.waitFor(() => expect(session.user?.userId).toBe('carol'));
    other.close();
  });

  test('ignores an answer from before a sign-out', async () => {
    const session = tab();
    await session.load();
    let answer!: (body: unknown) => void;
    answers['GET status'] = () => new Promise((resolve) => (answer = resolve));
    const loading = session.load();
    await settle();
    delete answers['GET status'];
    await session.signOut();
    answer({ signedIn: true, userId: 'bob', fullName: 'Bob', roles: [] });
    expect(await loading).toBeUndefined();
    expect(session.state.name).toBe('signedOut');
  });
});
