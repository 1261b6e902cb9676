import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';
import type { Connection, ConnectionState } from '../index.js';

/** Anything with an immutable state and a way to hear of changes, such as `Store`, `Presence` and `Replication`. */
export interface Observable<State> {
  get(): State;
  subscribe(listener: () => void): () => void;
}

/**
 * What `select` takes out of the store. What depends on it runs again only when the selection is another value by
 * `isEqual`, so a selector that builds an object or array needs one that looks inside. Listens until its scope ends.
 */
export function useStore<State, Selected = State>(
  store: Observable<State>,
  select: (state: State) => Selected = (state) => state as unknown as Selected,
  isEqual: (one: Selected, other: Selected) => boolean = Object.is,
): Readonly<ShallowRef<Selected>> {
  return follow(
    () => select(store.get()),
    (listener) => store.subscribe(listener),
    isEqual,
  );
}

/** The state of a connection, for a status dot. */
export function useConnectionState(
  connection: Pick<Connection, 'state' | 'onState'>,
): Readonly<ShallowRef<ConnectionState>> {
  return follow(
    () => connection.state,
    (listener) => connection.onState(listener),
    Object.is,
  );
}

function follow<Value>(
  read: () => Value,
  listen: (listener: () => void) => () => void,
  isEqual: (one: Value, other: Value) => boolean,
): Readonly<ShallowRef<Value>> {
  const current = shallowRef(read()) as ShallowRef<Value>;
  const stop = listen(() => {
    const next = read();
    // The same object for as long as it is equal: what derives from it rests.
    if (!isEqual(current.value, next)) current.value = next;
  });
  onScopeDispose(stop);
  return current;
}
