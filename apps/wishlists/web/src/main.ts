import type { RefusedDocument } from '@dunlin/client/rxdb';
import { element, showToast, startPage, type PageSession, type Stop, type User } from '@dunlin/kit';
import { createApp } from 'vue';
import type { Item, Wishlist } from './api/documents';
import { WishlistsStore } from './state/wishlistsStore';
import { has, t } from './ui/i18n';
import { useKitWords } from './ui/i18n/kitWords';
import { current, go } from './ui/address';
import { forgetReturned, giveBack, NEW_LIST } from './ui/returned';
import App from './ui/App.vue';
import PreviewShell from './ui/PreviewShell.vue';
import { problemText } from './ui/problem';

/** The link that a visitor wants to join after signing in. */
let joining: string | undefined;

/** Returns the user input in a document of any collection. */
function typedIn(document: unknown): string {
  const { title, name, description, source_url } = (document ?? {}) as Record<string, unknown>;
  return [title, name, description, source_url]
    .filter((each) => typeof each === 'string' && each !== '')
    .join('\n');
}

function tellRefused(store: WishlistsStore, refused: readonly RefusedDocument[]): void {
  for (const each of refused)
    void store.wasTakenBack(each).then((wasTakenBack) => wasTakenBack && returnText(each));
  for (const { code, document } of refused.slice(0, 3)) {
    const key = `refused_${code}`;
    const reason = has(key) ? t(key) : t('refused_other');
    showToast({ kind: 'error', text: t('refused', { reason }), copy: typedIn(document) });
  }
}

/** Returns the text of a refused new list or wish to the field that it was typed into. */
function returnText({ collection, document }: RefusedDocument): void {
  const { name, title, source_url, wishlist_id } = document as Partial<Wishlist & Item>;
  if (collection === 'wishlists') giveBack(NEW_LIST, name ?? '');
  else giveBack(wishlist_id ?? '', source_url ?? title ?? '');
}

async function showLists(session: PageSession): Promise<Stop> {
  const store: WishlistsStore = await WishlistsStore.open({
    user: session.user,
    refresh: session.refresh,
    onSignedOut: session.end,
    onRefused: (refused) => tellRefused(store, refused),
    onRemovalFailed: (_, error) => showToast({ kind: 'error', text: problemText(error) }),
  });
  if (joining !== undefined) {
    try {
      go({ name: 'list', id: await store.join(joining) });
    } catch (error) {
      showToast({ kind: 'error', text: problemText(error) });
      go({ name: 'home' });
    }
    joining = undefined;
  }
  const app = createApp(App, { store, tools: session.tools });
  app.mount(session.root);
  session.trackUnsent({ count: () => store.unsent, flush: () => store.flush() });
  return () => {
    app.unmount();
    forgetReturned();
    return store.dispose();
  };
}

/** Displays the list of a link, also to visitors who are not signed in. */
function showPreview(session: PageSession<User | undefined>, token: string, onJoin: () => void): Stop {
  const isSignedIn = session.user !== undefined;
  const app = createApp(PreviewShell, { tools: session.tools, token, isSignedIn, onJoin });
  app.mount(session.root);
  return () => app.unmount();
}

async function start(session: PageSession): Promise<Stop> {
  if (current.value.name !== 'share' || joining !== undefined) return openLists(session);
  const { token } = current.value;
  let stop: Stop = showPreview(session, token, () => {
    joining = token;
    void Promise.resolve(stop()).then(async () => (stop = await openLists(session)));
  });
  return () => stop();
}

async function openLists(session: PageSession): Promise<Stop> {
  try {
    return await showLists(session);
  } catch (error) {
    // The browser probably blocks storage.
    session.root.append(element('p', { className: 'trouble', textContent: t('storageTrouble') }));
    console.error(error);
    return () => session.root.replaceChildren();
  }
}

useKitWords();
// The kit shows this title whenever no user is signed in.
document.title = `${t('title')} · Dunlin`;
startPage({
  title: () => t('title'),
  home: '/wishlists',
  reason: () => t('signInReason'),
  isOffline: true,
  start,
  visit: (session) => {
    if (current.value.name !== 'share') return undefined;
    const { token } = current.value;
    return showPreview(session, token, () => {
      joining = token;
      void session.requireSignIn(t('joinReason'));
    });
  },
});

if ('serviceWorker' in navigator) {
  // Served from the root, so that its scope can be /wishlists and everything below. Without it the page works online only.
  navigator.serviceWorker.register('/wishlists.sw.js', { scope: '/wishlists' }).catch(() => {});
}
