import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';
import type { Connection, ConnectionState } from '../index.js';

/** An immutable state with change notifications, such as `Store`, `Presence` and `Replication`. */
export interface Observable<State> {
  get(): State;
  subscribe(listener: () => void): () => void;
}

/**
 * Returns what `select` takes from the store. Dependents run again when the selection changes by `isEqual`. A selector that builds an
 * object or array needs an `isEqual` that compares contents. Listens until its effect scope ends.
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

/** Returns the state of a connection, for a status indicator. */
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
    // Keeps the same object while the values are equal, so that dependent values are not computed again.
    if (!isEqual(current.value, next)) current.value = next;
  });
  onScopeDispose(stop);
  return current;
}
