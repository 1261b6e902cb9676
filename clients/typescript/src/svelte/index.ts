import { createSubscriber } from 'svelte/reactivity';
import type { Connection, ConnectionState } from '../index.js';

/** Anything with an immutable state and a way to hear of changes, such as `Store` and `Presence`. */
export interface Observable<State> {
  get(): State;
  subscribe(listener: () => void): () => void;
}

/** A value that templates, `$derived` and `$effect` follow by reading `current`. */
export interface Reactive<Value> {
  readonly current: Value;
}

/**
 * What `select` takes out of the store. What reads it runs again only when the selection is another value by
 * `isEqual`, so a selector that builds an object or array needs one that looks inside. Listens while somebody reads.
 */
export function fromStore<State, Selected = State>(
  store: Observable<State>,
  select: (state: State) => Selected = (state) => state as unknown as Selected,
  isEqual: (one: Selected, other: Selected) => boolean = Object.is,
): Reactive<Selected> {
  return follow(
    () => select(store.get()),
    (listener) => store.subscribe(listener),
    isEqual,
  );
}

/** The state of a connection, for a status dot. */
export function fromConnection(connection: Pick<Connection, 'state' | 'onState'>): Reactive<ConnectionState> {
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
): Reactive<Value> {
  let last: { value: Value } | undefined;
  // The same object for as long as it is equal: what derives from it rests.
  const value = () => {
    const next = read();
    if (!last || !isEqual(last.value, next)) last = { value: next };
    return last.value;
  };
  const subscribe = createSubscriber((update) =>
    listen(() => {
      const before = last;
      value();
      if (last !== before) update();
    }),
  );
  return {
    get current() {
      subscribe();
      return value();
    },
  };
}
