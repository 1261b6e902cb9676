import type { RefusedDocument } from '@dunlin/client/rxdb';
import { showToast, type PageSession, type Stop } from '@dunlin/kit';
import { createApp } from 'vue';
import type { Item, Wishlist } from './api/documents';
import { EarlyDatabase } from './state/database';
import { WishlistsStore } from './state/wishlistsStore';
import { has, t } from './ui/i18n';
import { go } from './ui/address';
import { forgetReturned, giveBack, NEW_LIST } from './ui/returned';
import App from './ui/App.vue';
import { problemText } from './ui/problem';

// The part of the page with the database: visitors do not load it.
const early = new EarlyDatabase(storageOrNothing());

/** Closes the database that was opened for the last user, because no user is signed in. */
export function closeEarly(): void {
  early.drop();
}

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

/** Shows the lists of the signed-in user. @param joining token of a link to join first. */
export async function showLists(session: PageSession, joining: string | undefined): Promise<Stop> {
  const store: WishlistsStore = await WishlistsStore.open({
    user: session.user,
    database: early.take(session.user.userId),
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
  }
  const app = createApp(App, { store, tools: session.tools });
  app.mount(session.root);
  session.trackUnsent({ count: () => store.unsent, flush: () => store.flush() });
  return () => {
    app.unmount();
    forgetReturned();
    early.drop();
    return store.dispose();
  };
}

function storageOrNothing(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
