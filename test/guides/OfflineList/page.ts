import { Client } from '@dunlin/client';
import { keepChangedFields, replicate } from '@dunlin/client/rxdb';
import { createRxDatabase, type RxDocument } from 'rxdb/plugins/core';
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';

interface Item {
  id: string;
  text: string;
  done: boolean;
}

// Without a network, the user who was here last.
async function whoAmI(): Promise<string> {
  const answer = await fetch('/api/me').catch(() => undefined);
  if (answer?.status === 401) throw new Error('Sign in first: /sign-in/ann');
  if (answer?.ok) localStorage.setItem('user', ((await answer.json()) as { userId: string }).userId);
  return localStorage.getItem('user')!;
}

const user = await whoAmI();
const database = await createRxDatabase({ name: `list-${user}`, storage: getRxStorageDexie() });
const { items } = await database.addCollections({
  items: {
    schema: {
      version: 0,
      primaryKey: 'id',
      type: 'object',
      properties: {
        id: { type: 'string', maxLength: 60 },
        text: { type: 'string', maxLength: 200 },
        done: { type: 'boolean' },
      },
      required: ['id', 'text', 'done'],
    },
    conflictHandler: keepChangedFields(),
  },
});

const client = new Client({ user });
const connection = client.connection({ path: '/api/hints/stream', heartbeatSeconds: 30 });
const sync = replicate({ client, user, path: '/api/sync', collections: { items }, connection });

const showState = () => {
  const { name, pending } = sync.get();
  document.querySelector('#status')!.textContent = pending > 0 ? `${name}, ${pending} to send` : name;
};
sync.subscribe(showState);
showState();
connection.connect();

function row(item: RxDocument<Item>): HTMLLIElement {
  const line = document.createElement('li');
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: item.done });
  box.onchange = () => void item.incrementalPatch({ done: box.checked });
  const remove = Object.assign(document.createElement('button'), { textContent: 'Delete' });
  remove.onclick = () => void item.incrementalRemove();
  line.append(box, ` ${item.text} `, remove);
  return line;
}

items.find({ sort: [{ text: 'asc' }] }).$.subscribe((all: RxDocument<Item>[]) => {
  document.querySelector('ul')!.replaceChildren(...all.map(row));
});

const form = document.querySelector('form')!;
form.onsubmit = (event) => {
  event.preventDefault();
  const text = new FormData(form).get('text') as string;
  void items.insert({ id: crypto.randomUUID(), text, done: false });
  form.reset();
};

await navigator.serviceWorker.register('sw.js');
