import { effectScope, nextTick, watchSyncEffect, type ShallowRef } from 'vue';
import { beforeEach, expect, test } from 'vitest';
import { OwnConnection } from '../src/connection/connection';
import { Auth } from '../src/http/auth';
import { Store } from '../src/store/store';
import { useConnectionState, useStore } from '../src/vue/index';
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
function watch<Value>(make: () => Readonly<ShallowRef<Value>>): { values: Value[]; stop: () => void } {
  const values: Value[] = [];
  const scope = effectScope();
  scope.run(() => {
    const value = make();
    watchSyncEffect(() => void values.push(value.value));
  });
  return { values, stop: () => scope.stop() };
}

test('readers run again only when the selection changes', () => {
  const { values, stop } = watch(() => useStore(store, (state) => state.records.get('1')?.name));
  store.update('2', { name: 'zwei' }, 2);
  expect(values).toEqual(['one']);
  store.update('1', { name: 'eins' }, 2);
  expect(values).toEqual(['one', 'eins']);
  stop();
});

test('an equal new array is the same selection', () => {
  const same = (one: string[], other: string[]) => one.join() === other.join();
  const { values, stop } = watch(() => useStore(store, (state) => [...state.records.keys()], same));
  store.update('1', { name: 'eins' }, 2);
  expect(values.length).toBe(1);
  store.remove('1');
  expect(values.at(-1)).toEqual(['2']);
  stop();
});

test('listening ends with its effect scope', () => {
  const { values, stop } = watch(() => useStore(store, (state) => state.records.get('1')?.name));
  stop();
  store.update('1', { name: 'eins' }, 2);
  expect(values).toEqual(['one']);
});

test('the connection state is followed', async () => {
  const environment = new FakeEnvironment();
  const connection = new OwnConnection({
    environment,
    auth: new Auth(),
    deviceId: 'device-1',
    url: '/events',
  });
  const { values, stop } = watch(() => useConnectionState(connection));
  connection.connect();
  await nextTick();
  expect(values.map(({ name }) => name)).toEqual(['closed', 'connecting']);
  stop();
  connection.dispose();
});
