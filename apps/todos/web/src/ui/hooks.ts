import { browserEnvironment } from '@dunlin/client';
import { showToast } from '@dunlin/kit';
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import type { ReadTransaction } from 'replicache';
import { dateOf, untilTomorrow } from '../state/due';
import type { Undo } from '../state/undo';
import type { LoadState, Pending, TodosStore } from '../state/todosStore';

/** Returns the result of a query over the local data, and updates it when the data changes. */
export function useQuery<T>(
  store: TodosStore,
  query: (tx: ReadTransaction) => Promise<T>,
  dependency: string,
): T | undefined {
  const [result, setResult] = useState<{ of: string; value: T }>();
  useEffect(
    () => store.rep.subscribe(query, (value) => setResult({ of: dependency, value: value })),
    // `dependency` identifies the query, because its function is new at every render.
    [store, dependency],
  );
  return result?.of === dependency ? result.value : undefined;
}

export function usePending(store: TodosStore): Pending {
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.pending,
  );
}

export function useLoad(store: TodosStore): LoadState {
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.load,
  );
}

export const UndoContext = createContext<Undo | undefined>(undefined);

export const useUndo = (): Undo => useContext(UndoContext)!;

/** Returns today's date in the user's time zone. It changes at midnight, and when a tab that slept is shown again. */
export function useToday(): string {
  const [today, setToday] = useState(() => dateOf(new Date()));
  useEffect(() => {
    let cancel = () => {};
    const follow = () => {
      cancel();
      const now = new Date();
      setToday(dateOf(now));
      cancel = environment.setTimer(untilTomorrow(now) + 1, follow);
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      cancel();
      document.removeEventListener('visibilitychange', follow);
    };
  }, []);
  return today;
}

/** What the address shows: `/todos`, `/todos/today`, `/todos/search` or `/todos/{id of a list}`. */
export const TODAY = 'today';
export const SEARCH = 'search';

export interface Address {
  readonly place: string | undefined;
  readonly go: (place: string | undefined, options?: { readonly isReplaced?: boolean }) => void;
}

/** Returns the place in the address, and a function to change it. */
export function useAddress(): Address {
  const read = () => decodeURIComponent(location.pathname.split('/')[2] ?? '') || undefined;
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const follow = () => setPlace(read());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  return {
    place,
    go: (next, { isReplaced = false } = {}) => {
      const path = next === undefined ? '/todos' : `/todos/${encodeURIComponent(next)}`;
      if (isReplaced) history.replaceState(null, '', path);
      else if (next !== place) history.pushState(null, '', path);
      setPlace(next);
    },
  };
}

const environment = browserEnvironment();

export const newId = (): string => environment.randomId();

/** Saves the text of a field that disappeared during an edit. If its record was deleted, a toast offers the text for copying. */
export function saveAbandoned(
  store: TodosStore,
  key: string,
  text: string,
  save: (text: string) => Promise<void>,
): void {
  // First, because the store may be closing: then this is its last change.
  save(text).catch(() => {});
  store.rep
    .query((tx) => tx.has(key))
    .then((isThere) => {
      if (isThere) return;
      showToast({
        kind: 'error',
        text: `“${text}” was not saved: it was deleted while you typed.`,
        copy: text,
      });
    })
    .catch(() => {});
}
