import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { Connection, ConnectionState } from '../index.js';

/** Anything with an immutable state and a way to hear of changes, such as `Store` and `Presence`. */
export interface Observable<State> {
  get(): State;
  subscribe(listener: () => void): () => void;
}

/**
 * What `select` takes out of the store. The component renders again when the selection is another value by
 * `isEqual`, so a selector that builds an object or array needs one that looks inside.
 */
export function useStore<State, Selected = State>(
  store: Observable<State>,
  select: (state: State) => Selected = (state) => state as unknown as Selected,
  isEqual: (one: Selected, other: Selected) => boolean = Object.is,
): Selected {
  const last = useRef<{ value: Selected } | undefined>(undefined);
  const subscribe = useCallback((listener: () => void) => store.subscribe(listener), [store]);
  const snapshot = () => {
    const value = select(store.get());
    if (last.current && isEqual(last.current.value, value)) return last.current.value;
    last.current = { value };
    return value;
  };
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

/** The state of a connection, for a status dot. */
export function useConnectionState(connection: Pick<Connection, 'state' | 'onState'>): ConnectionState {
  const subscribe = useCallback((listener: () => void) => connection.onState(listener), [connection]);
  const snapshot = () => connection.state;
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
