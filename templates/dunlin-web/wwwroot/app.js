import { Client, statusWord } from './dunlin-client.js';

const find = (id) => document.getElementById(id);

const { userId } = await (await fetch('api/guest', { method: 'POST' })).json();
const client = new Client({ user: userId });
const connection = client.connection({ topics: ['rooms/lobby'] });

connection.onState((state) => (find('state').textContent = statusWord(state)));
connection.on('message.sent', ({ author, text }) => {
  const item = document.createElement('li');
  item.textContent = `${author}: ${text}`;
  find('messages').append(item);
});
// The server no longer has the missed events: load the current state again.
connection.onReset(() => location.reload());
connection.connect();

find('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const answer = await fetch('api/rooms/lobby/messages', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ text: find('text').value }),
  }).catch(() => undefined);
  find('problem').textContent = answer?.ok ? '' : 'The message was not sent. Send it again.';
  if (answer?.ok) find('text').value = '';
});
