import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { Connection, ConnectionState } from '../index.js';

/** An immutable state with change notifications, such as `Store` and `Presence`. */
export interface Observable<State> {
  get(): State;
  subscribe(listener: () => void): () => void;
}

/**
 * Returns what `select` takes from the store. The component renders again when the selection changes by `isEqual`. A selector that builds
 * an object or array needs an `isEqual` that compares contents.
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

/** Returns the state of a connection, for a status indicator. */
export function useConnectionState(connection: Pick<Connection, 'state' | 'onState'>): ConnectionState {
  const subscribe = useCallback((listener: () => void) => connection.onState(listener), [connection]);
  const snapshot = () => connection.state;
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
