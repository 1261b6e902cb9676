import { createSubscriber } from 'svelte/reactivity';
import type { Connection, ConnectionState } from '../index.js';

/** An immutable state with change notifications, such as `Store` and `Presence`. */
export interface Observable<State> {
  get(): State;
  subscribe(listener: () => void): () => void;
}

/** A reactive value. Templates, `$derived` and `$effect` follow it by reading `current`. */
export interface Reactive<Value> {
  readonly current: Value;
}

/**
 * Returns what `select` takes from the store. Readers run again when the selection changes by `isEqual`. A selector that builds an object
 * or array needs an `isEqual` that compares contents. Listens only while something reads the value.
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

/** Returns the state of a connection, for a status indicator. */
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
  // Returns the same object while the values are equal, so that dependent values are not computed again.
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
