import { Client, statusWord } from '@dunlin/client';

const answer = await fetch('/api/me');
const { userId } = (await answer.json()) as { userId: string };
const client = new Client({ user: userId });
const connection = client.connection({ topics: ['rooms/lobby'], present: true });
const presence = client.presence(connection, 'rooms/lobby');

presence.subscribe(() => {
  const names = [...presence.get().values()].map((member) => member.name).sort();
  const items = names.map((name) => Object.assign(document.createElement('li'), { textContent: name }));
  document.querySelector('#present')!.replaceChildren(...items);
});
connection.onState((state) => (document.querySelector('#status')!.textContent = statusWord(state)));
connection.connect();
