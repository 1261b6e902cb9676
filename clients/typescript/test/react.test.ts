// @vitest-environment happy-dom
import { act, createElement, type FunctionComponent } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OwnConnection } from '../src/connection/connection';
import { Auth } from '../src/http/auth';
import { useConnectionState, useStore } from '../src/react/index';
import { Store } from '../src/store/store';
import { FakeEnvironment } from './support/fakeEnvironment';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

interface Item {
  id: number;
  version: number;
  name: string;
}

let root: Root;
let element: HTMLElement;
let store: Store<Item>;
let renders: number;

beforeEach(() => {
  element = document.createElement('div');
  root = createRoot(element);
  renders = 0;
  store = new Store<Item>({ environment: new FakeEnvironment(), save: async () => {} });
  store.merge([
    { id: 1, version: 1, name: 'one' },
    { id: 2, version: 1, name: 'two' },
  ]);
});

afterEach(() => act(() => root.unmount()));

async function render(component: FunctionComponent): Promise<void> {
  await act(async () => root.render(createElement(component)));
}

describe('The React adapter', () => {
  test('a component renders again only when its selection changes', async () => {
    await render(() => {
      renders++;
      return useStore(store, (state) => state.records.get('1')?.name);
    });
    expect(element.textContent).toBe('one');
    await act(async () => store.update('2', { name: 'zwei' }, 2));
    expect(renders).toBe(1);
    await act(async () => store.update('1', { name: 'eins' }, 2));
    expect([element.textContent, renders]).toEqual(['eins', 2]);
  });

  test('a selection that builds a new array does not render for ever', async () => {
    const same = (one: string[], other: string[]) => one.join() === other.join();
    await render(() => {
      renders++;
      return useStore(store, (state) => [...state.records.keys()], same).join();
    });
    expect([element.textContent, renders]).toEqual(['1,2', 1]);
    await act(async () => store.remove('1'));
    expect([element.textContent, renders]).toEqual(['2', 2]);
  });

  test('the connection state is followed', async () => {
    const options = { environment: new FakeEnvironment(), auth: new Auth(), deviceId: 'd', url: '/' };
    const connection = new OwnConnection(options);
    await render(() => useConnectionState(connection).name);
    expect(element.textContent).toBe('closed');
    await act(async () => connection.connect());
    expect(element.textContent).toBe('waiting');
    await act(async () => connection.dispose());
    expect(element.textContent).toBe('closed');
  });
});
