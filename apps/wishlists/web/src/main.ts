import { problemOf } from '@dunlin/client';
import type { RefusedDocument } from '@dunlin/client/rxdb';
import {
  copyText,
  element,
  requireSignIn,
  Session,
  showToast,
  startPage,
  type Page,
  type User,
} from '@dunlin/kit';
import { createApp } from 'vue';
import { Desk } from './data/desk';
import { has, t } from './i18n';
import { useKitWords } from './i18n/kitWords';
import { current, go } from './ui/address';
import App from './ui/App.vue';
import PreviewShell from './ui/PreviewShell.vue';

const session = new Session();
/** The link that a visitor wants to join by, once there is a user. */
let joining: string | undefined;

/** What a person typed into a document of any collection. */
function typedIn(document: unknown): string {
  const { title, name, description, source_url } = (document ?? {}) as Record<string, unknown>;
  return [title, name, description, source_url]
    .filter((each) => typeof each === 'string' && each !== '')
    .join('\n');
}

function tellRefused(refused: readonly RefusedDocument[]): void {
  for (const { code, document } of refused.slice(0, 3)) {
    const key = `refused_${code}`;
    const text = typedIn(document);
    const reason = has(key) ? t(key) : t('refused_other');
    const action = { label: t('copy'), done: t('copied'), run: () => copyText(text) };
    showToast({ kind: 'error', text: t('refused', { reason }), action: text === '' ? undefined : action });
  }
}

async function showLists(user: User, root: HTMLElement): Promise<Page> {
  const desk = await Desk.open({
    user,
    refresh: () => session.refresh(),
    onSignedOut: () => session.markSignedOut(),
    onRefused: tellRefused,
  });
  if (joining !== undefined) {
    try {
      go({ name: 'list', id: await desk.join(joining) });
    } catch (error) {
      showToast({ kind: 'error', text: problemOf(error).title });
      go({ name: 'home' });
    }
    joining = undefined;
  }
  const app = createApp(App, { desk, session });
  app.mount(root);
  return {
    unsent: () => desk.sync.get().pending,
    dispose: () => {
      app.unmount();
      return desk.dispose();
    },
  };
}

/** What a link leads to, for everybody who has it. */
function showPreview(root: HTMLElement, token: string, onJoin: () => void): Page {
  const app = createApp(PreviewShell, { session, token, isSignedIn: session.user !== undefined, onJoin });
  app.mount(root);
  return { dispose: () => app.unmount() };
}

async function start(user: User, root: HTMLElement): Promise<Page> {
  if (current.value.name !== 'share' || joining !== undefined) return openLists(user, root);
  const { token } = current.value;
  let page: Page = showPreview(root, token, () => {
    joining = token;
    void Promise.resolve(page.dispose()).then(async () => (page = await openLists(user, root)));
  });
  return { unsent: () => page.unsent?.() ?? 0, dispose: () => page.dispose() };
}

async function openLists(user: User, root: HTMLElement): Promise<Page> {
  try {
    return await showLists(user, root);
  } catch (error) {
    // Most likely a browser that lets the page keep nothing.
    root.append(element('p', { className: 'trouble', textContent: t('storageTrouble') }));
    console.error(error);
    return { dispose: () => root.replaceChildren() };
  }
}

useKitWords();
startPage({
  session,
  system: () => t('title'),
  home: '/wishlists',
  reason: () => t('signInReason'),
  isOffline: true,
  start,
  visit: (root) => {
    if (current.value.name !== 'share') return undefined;
    const { token } = current.value;
    return showPreview(root, token, () => {
      joining = token;
      void requireSignIn(session, t('joinReason'));
    });
  },
});

if ('serviceWorker' in navigator) {
  // Served from the root, so that its scope may be /wishlists itself and everything below. Without it the page works online.
  navigator.serviceWorker.register('/wishlists.sw.js', { scope: '/wishlists' }).catch(() => {});
}
