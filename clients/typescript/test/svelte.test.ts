// @vitest-environment happy-dom
import { flushSync } from 'svelte';
import { toStore } from 'svelte/store';
import { beforeEach, describe, expect, test } from 'vitest';
import { OwnConnection } from '../src/connection/connection';
import { Auth } from '../src/http/auth';
import { Store } from '../src/store/store';
import { fromConnection, fromStore, type Reactive } from '../src/svelte/index';
import { FakeEnvironment } from './support/fakeEnvironment';

interface Item {
  id: number;
  version: number;
  name: string;
}

let store: Store<Item>;

beforeEach(() => {
  store = new Store<Item>({ environment: new FakeEnvironment(), save: async () => {} });
  store.merge([
    { id: 1, version: 1, name: 'one' },
    { id: 2, version: 1, name: 'two' },
  ]);
});

/** Reads the value in an effect, as a template does, and records every value that the effect saw. */
function watch<Value>(reactive: Reactive<Value>): { values: Value[]; stop: () => void } {
  const values: Value[] = [];
  const stop = toStore(() => reactive.current).subscribe((value) => values.push(value));
  flushSync();
  return { values, stop };
}

function change(code: () => void): void {
  code();
  flushSync();
}

describe('The Svelte adapter', () => {
  test('readers run again only when the selection changes', () => {
    let runs = 0;
    const name = fromStore(store, (state) => state.records.get('1')?.name);
    const { values, stop } = watch({
      get current() {
        runs++;
        return name.current;
      },
    });
    const before = runs;
    change(() => store.update('2', { name: 'zwei' }, 2));
    expect(runs).toBe(before);
    change(() => store.update('1', { name: 'eins' }, 2));
    expect(values.at(-1)).toBe('eins');
    expect(runs).toBeGreaterThan(before);
    stop();
  });

  test('an equal new array is the same selection', () => {
    const same = (one: string[], other: string[]) => one.join() === other.join();
    const ids = fromStore(store, (state) => [...state.records.keys()], same);
    const { values, stop } = watch(ids);
    change(() => store.update('2', { name: 'zwei' }, 2));
    expect(new Set(values).size).toBe(1);
    change(() => store.remove('1'));
    expect(values.at(-1)).toEqual(['2']);
    stop();
  });

  test('a store without readers has no listeners', () => {
    let listeners = 0;
    const counted = {
      get: () => store.get(),
      subscribe: (listener: () => void) => {
        listeners++;
        const stop = store.subscribe(listener);
        return () => {
          listeners--;
          stop();
        };
      },
    };
    const all = fromStore(counted);
    expect([all.current.records.size, listeners]).toEqual([2, 0]);
    const { stop } = watch(all);
    expect(listeners).toBe(1);
    stop();
    // Svelte unsubscribes a microtask later, in case another reader subscribes.
    return Promise.resolve().then(() => expect(listeners).toBe(0));
  });

  test('the connection state is followed', () => {
    const options = { environment: new FakeEnvironment(), auth: new Auth(), deviceId: 'd', url: '/' };
    const connection = new OwnConnection(options);
    const { values, stop } = watch(fromConnection(connection));
    change(() => connection.connect());
    change(() => connection.dispose());
    expect(values.map((state) => state.name)).toContain('closed');
    expect(values.at(-1)?.name).toBe('closed');
    expect(values.length).toBeGreaterThan(1);
    stop();
  });
});
