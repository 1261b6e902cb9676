import { problemOf } from '@dunlin/client';
import type { RefusedDocument } from '@dunlin/client/rxdb';
import { requireSignIn, Session, showToast, type User } from '@dunlin/kit';
import { createApp, type App as VueApp } from 'vue';
import { Desk } from './data/desk';
import { has, t } from './i18n';
import { current, go } from './ui/address';
import App from './ui/App.vue';
import PreviewShell from './ui/PreviewShell.vue';

const session = new Session();
const LAST_USER = 'dunlin.wishlists.user';
const target = () => document.getElementById('page')!;

/** Who was signed in here last: their lists can be read and changed without a network. */
function lastUser(): User | undefined {
  try {
    return JSON.parse(localStorage.getItem(LAST_USER) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function keepUser(user: User | undefined): void {
  try {
    if (user) localStorage.setItem(LAST_USER, JSON.stringify(user));
    else localStorage.removeItem(LAST_USER);
  } catch {
    // Storage is blocked: then there is no page without a network.
  }
}

async function whoIsIt(): Promise<User | undefined> {
  try {
    return await session.load();
  } catch {
    return lastUser();
  }
}

function tellRefused(refused: readonly RefusedDocument[]): void {
  for (const { code } of refused.slice(0, 3)) {
    const key = `refused_${code}`;
    showToast({ kind: 'error', text: t('refused', { reason: has(key) ? t(key) : t('refused_other') }) });
  }
}

async function openDesk(user: User): Promise<Desk> {
  keepUser(user);
  session.subscribe(() => {
    if (session.state.name === 'signedOut') keepUser(undefined);
  });
  return Desk.open({
    user,
    session,
    signIn: () => requireSignIn(session, t('signedOutReason')),
    onRefused: tellRefused,
  });
}

async function showLists(user: User | undefined, joining?: string): Promise<void> {
  const desk = await openDesk(
    user ?? (await requireSignIn(session, t(joining ? 'joinReason' : 'signInReason'))),
  );
  if (joining) {
    try {
      go({ name: 'list', id: await desk.join(joining) });
    } catch (error) {
      showToast({ kind: 'error', text: problemOf(error).title });
      go({ name: 'home' });
    }
  }
  createApp(App, { desk, session }).mount(target());
}

async function start(): Promise<void> {
  const user = await whoIsIt();
  if (current.value.name !== 'share') return showLists(user);
  const { token } = current.value;
  let app: VueApp;
  const join = async () => {
    const known = session.user ?? (await requireSignIn(session, t('joinReason')));
    app.unmount();
    await showLists(known, token);
  };
  app = createApp(PreviewShell, {
    session,
    token,
    isSignedIn: user !== undefined,
    onJoin: () => void join(),
  });
  app.mount(target());
}

start().catch((error: unknown) => {
  // Most likely a browser that lets the page keep nothing.
  showToast({ kind: 'error', text: t('storageTrouble') });
  console.error(error);
});

if ('serviceWorker' in navigator) {
  // Served from the root, so that its scope may be /wishlists itself and everything below. Without it the page works online.
  navigator.serviceWorker.register('/wishlists.sw.js', { scope: '/wishlists' }).catch(() => {});
}
