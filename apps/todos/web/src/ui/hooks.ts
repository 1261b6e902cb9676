import { browserEnvironment } from '@dunlin/client';
import { showToast } from '@dunlin/kit';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ReadTransaction } from 'replicache';
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

/** Returns the list id in the address `/todos/{id}`, and a function to change it. */
export function useAddress(): [string | undefined, (id: string | undefined) => void] {
  const read = () => decodeURIComponent(location.pathname.split('/')[2] ?? '') || undefined;
  const [id, setId] = useState(read);
  useEffect(() => {
    const follow = () => setId(read());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  return [
    id,
    (next) => {
      history.pushState(null, '', next === undefined ? '/todos' : `/todos/${encodeURIComponent(next)}`);
      setId(next);
    },
  ];
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
