import { Client, statusWord } from '@dunlin/client';
import { Replicache, type WriteTransaction } from 'replicache';

type Item = { id: string; text: string; done: boolean };

// The same names as on the server. A mutator runs here at once, and on the server later.
const mutators = {
  createItem: (tx: WriteTransaction, { id, text }: { id: string; text: string }) =>
    tx.set(`item/${id}`, { id, text, done: false }),
  setDone: async (tx: WriteTransaction, { id, done }: { id: string; done: boolean }) => {
    const item = await tx.get<Item>(`item/${id}`);
    if (item) await tx.set(`item/${id}`, { ...item, done });
  },
  deleteItem: async (tx: WriteTransaction, { id }: { id: string }) => {
    await tx.del(`item/${id}`);
  },
};

const { userId } = (await (await fetch('/api/me')).json()) as { userId: string };
const rep = new Replicache({
  name: `list-${userId}`, // one database for each user
  schemaVersion: '1',
  pushURL: '/api/replicache/push',
  pullURL: '/api/replicache/pull',
  pullInterval: null, // the stream says when to pull
  mutators,
});

const client = new Client({ user: userId });
const stream = client.connection({
  path: '/api/replicache/stream',
  format: 'word',
  heartbeatSeconds: 30,
});
stream.on('sync', () => void rep.pull());
stream.onReset(() => void rep.pull());
stream.onState((state) => {
  document.querySelector('#status')!.textContent = statusWord(state);
  if (state.name === 'live') void rep.pull(); // pokes are not replayed
});
function row(item: Item): HTMLLIElement {
  const line = document.createElement('li');
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: item.done });
  box.onchange = () => void rep.mutate.setDone({ id: item.id, done: box.checked });
  const remove = Object.assign(document.createElement('button'), { textContent: 'Delete' });
  remove.onclick = () => void rep.mutate.deleteItem({ id: item.id });
  line.append(box, ` ${item.text} `, remove);
  return line;
}

rep.subscribe((tx) => tx.scan<Item>({ prefix: 'item/' }).values().toArray(), {
  onData: (all) => document.querySelector('ul')!.replaceChildren(...all.map(row)),
});

const form = document.querySelector('form')!;
form.onsubmit = (event) => {
  event.preventDefault();
  const text = new FormData(form).get('text') as string;
  void rep.mutate.createItem({ id: crypto.randomUUID(), text });
  form.reset();
};
stream.connect();
