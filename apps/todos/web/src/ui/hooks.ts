import { browserEnvironment } from '@dunlin/client';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ReadTransaction } from 'replicache';
import type { TodosStore, Pending } from '../state/todosStore';

/** What a query finds in the local data, and again whenever that changes. */
export function useQuery<T>(
  store: TodosStore,
  query: (tx: ReadTransaction) => Promise<T>,
  dependency: string,
): T | undefined {
  const [result, setResult] = useState<{ of: string; value: T }>();
  useEffect(
    () => store.rep.subscribe(query, (value) => setResult({ of: dependency, value: value })),
    // The query is told by its dependency: its function is a new one at each render.
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

/** The list in the address, `/todos/{id}`. */
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
