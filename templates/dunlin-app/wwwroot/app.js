import { Client, statusWord } from './dunlin-client.js';

const find = (id) => document.getElementById(id);

/** Sends a request. Shows the reason and throws if the server refuses it. */
async function send(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body && { 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  const data = text ? JSON.parse(text) : undefined;
  const reasons = data?.errors ? Object.values(data.errors).flat().join(' ') : data?.detail;
  find('problem').textContent = answer.ok ? '' : (reasons ?? 'The server refused the request.');
  if (!answer.ok) throw new Error(find('problem').textContent);
  return data;
}

function show(task) {
  let item = document.querySelector(`[data-task="${task.id}"]`);
  if (!item) {
    item = document.createElement('li');
    item.dataset.task = task.id;
    const label = item.appendChild(document.createElement('label'));
    const box = label.appendChild(document.createElement('input'));
    box.type = 'checkbox';
    box.addEventListener('change', () => void send('PUT', `api/tasks/${task.id}`, { done: box.checked }));
    label.append(` ${task.title} (${task.author})`);
    find('tasks').append(item);
  }
  item.querySelector('input').checked = task.done;
}

async function open(user) {
  find('account').hidden = true;
  find('work').hidden = false;
  find('name').textContent = user.name;
  const client = new Client({ user: user.userId });
  const connection = client.connection({ topics: ['tasks/all'] });
  // The list is loaded when the stream is open. Events that arrive before it are held and applied after it: no change is lost.
  let held = [];
  let isLoading = false;
  const apply = (task) => (held ? held.push(task) : show(task));
  connection.on('task.added', apply);
  connection.on('task.changed', apply);
  connection.onState(async (state) => {
    find('state').textContent = statusWord(state);
    if (state.name !== 'live' || !held || isLoading) return;
    isLoading = true;
    try {
      [...(await send('GET', 'api/tasks')).tasks, ...held].forEach(show);
      held = undefined;
    } finally {
      isLoading = false;
    }
  });
  // The server no longer has the missed events: load the current state again.
  connection.onReset(() => location.reload());
  connection.connect();
}

find('account').addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = { email: find('email').value, password: find('password').value };
  if (event.submitter?.value === 'register') await send('POST', 'api/accounts/register', body);
  await send('POST', 'api/accounts/login?useCookies=true', body);
  await open(await send('GET', 'api/accounts/me'));
});

find('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  await send('POST', 'api/tasks', { title: find('title').value });
  find('title').value = '';
});

find('leave').addEventListener('click', async () => {
  await send('POST', 'api/accounts/logout');
  location.reload();
});

const me = await fetch('api/accounts/me');
if (me.ok) await open(await me.json());
else find('account').hidden = false;
