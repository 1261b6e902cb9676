import { Client, problemOf, statusWord, type Problem } from '@dunlin/client';
import { Chats, type Turn, type Unsent } from './chats';

const find = <T extends HTMLElement>(selector: string) => document.querySelector<T>(selector)!;
const make = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

const IDEAS = [
  'Why do flocks turn at once?',
  'What happens when the server is killed?',
  'How do I stop you?',
];

const answer = await fetch('/api/me');
if (!answer.ok) location.href = '/sign-in/ann';
const { userId } = (await answer.json()) as { userId: string };
const client = new Client({ user: userId });
const chats = new Chats(client, userId, schedule, refused);

const [form, text, turns] = [
  find<HTMLFormElement>('#form'),
  find<HTMLTextAreaElement>('#text'),
  find('#turns'),
];
const [sendButton, stopButton, scroll] = [
  find<HTMLButtonElement>('#send'),
  find<HTMLButtonElement>('#stop'),
  find('#scroll'),
];
const [list, toggle] = [find('#list'), find('#toggle')];
const shown = new Map<string, { element: HTMLElement; version: number | undefined; text: Text }>();
let chat = '';
let isKnown = false; // whether the turns of this conversation are loaded, or there are none
let isScheduled = false;
let announced: string | undefined;

// Many tokens may come before the browser paints.
function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    render();
  });
}

function render(): void {
  const current = chats.turnsOf(chat);
  const unsent = chats.unsent?.chat === chat ? chats.unsent : undefined;
  const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48;
  const keys = new Set([...current.map(({ id }) => id), ...(unsent ? [unsent.id] : [])]);
  for (const [key, { element }] of shown) {
    if (keys.has(key)) continue;
    element.remove();
    shown.delete(key);
  }
  for (const turn of current) showTurn(turn);
  if (unsent && !current.some(({ id }) => id === unsent.id)) showUnsent(unsent);
  const writing = current.find(({ state }) => state === 'writing');
  find('#empty').hidden = keys.size > 0 || !isKnown;
  stopButton.hidden = !writing;
  sendButton.hidden = writing !== undefined;
  sendButton.disabled = unsent !== undefined;
  renderTitles();
  announce(current.at(-1));
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight;
}

function showTurn(turn: Turn): void {
  const known = shown.get(turn.id);
  if (known?.version === turn.version) return;
  const { element, text } = known ?? add(turn.id, turn.role, turn.text);
  // Appending keeps the selection of the user.
  if (turn.text.startsWith(text.data)) text.appendData(turn.text.slice(text.data.length));
  else text.data = turn.text;
  element.dataset['state'] = turn.state;
  element.setAttribute('aria-busy', String(turn.state === 'writing'));
  element.querySelector('.outcome')?.remove();
  if (turn.state === 'stopped' || turn.state === 'failed') element.append(outcomeOf(turn));
  shown.set(turn.id, { element, version: turn.version, text });
}

function showUnsent(unsent: Unsent): void {
  if (shown.has(unsent.id)) return;
  const { element, text } = add(unsent.id, 'user', unsent.text);
  element.dataset['state'] = 'unsent';
  shown.set(unsent.id, { element, version: undefined, text });
}

function add(id: string, role: Turn['role'], content: string) {
  const text = document.createTextNode(content);
  const author = make('span', { className: 'hidden' }, role === 'user' ? 'You: ' : 'Answer: ');
  const element = make('li', { className: role }, author, make('div', { className: 'text' }, text));
  element.dataset['id'] = id;
  turns.append(element);
  return { element, text };
}

function outcomeOf(turn: Turn): HTMLElement {
  const word = turn.state === 'stopped' ? 'Stopped.' : (turn.error ?? 'The answer failed.');
  const label = turn.state === 'stopped' ? 'Continue' : 'Try again';
  const button = make('button', { type: 'button', className: 'button small', textContent: label });
  button.onclick = () => run(chats.retry(turn), button);
  return make('p', { className: 'outcome' }, make('span', {}, word), button);
}

function renderTitles(): void {
  const entries = chats.titles.map(({ chat: id, title }) => {
    const link = make('a', { href: `#${id}`, textContent: title, title });
    if (id === chat) link.setAttribute('aria-current', 'page');
    return make('li', {}, link);
  });
  const before = [...list.querySelectorAll('a')].map((link) => link.outerHTML).join();
  if (before !== entries.map((entry) => entry.innerHTML).join()) list.replaceChildren(...entries);
}

// A screen reader gets the end of an answer, not each of its tokens.
function announce(last: Turn | undefined): void {
  const word = last?.role === 'assistant' ? `${last.id} ${last.state}` : undefined;
  if (announced !== undefined && word !== announced && last?.role === 'assistant') {
    const words = {
      writing: '',
      done: last.text,
      stopped: 'The answer was stopped.',
      failed: last.error ?? '',
    };
    find('#announcer').textContent = words[last.state];
  }
  announced = word ?? '';
}

function showProblem(title: string | undefined): void {
  const problem = find('#problem');
  problem.hidden = title === undefined;
  problem.textContent = title ?? '';
}

function refused(problem: Problem, question: string): void {
  showProblem(titleOf(problem));
  if (!text.value) text.value = question;
}

function titleOf({ kind, title, detail }: Problem): string {
  if (kind === 'network') return 'The server cannot be reached.';
  return typeof detail?.['detail'] === 'string' ? detail['detail'] : title;
}

function run(request: Promise<void>, button?: HTMLButtonElement): void {
  showProblem(undefined);
  if (button) button.disabled = true;
  request
    .catch((error: unknown) => showProblem(titleOf(problemOf(error))))
    .finally(() => button && (button.disabled = false));
}

function send(question: string): void {
  if (!question.trim() || chats.unsent || !stopButton.hidden) return;
  showProblem(undefined);
  text.value = '';
  resize();
  scroll.scrollTop = scroll.scrollHeight;
  if (location.hash.slice(1) !== chat) history.pushState(null, '', `#${chat}`);
  void chats.ask(chat, question.trim());
}

function stop(): void {
  const writing = chats.turnsOf(chat).find(({ state }) => state === 'writing');
  if (writing) run(chats.stop(writing), stopButton);
}

function resize(): void {
  text.style.height = 'auto';
  text.style.height = `${Math.min(text.scrollHeight, 200)}px`;
}

function showChats(isOpen: boolean): void {
  document.body.classList.toggle('shows-chats', isOpen);
  toggle.setAttribute('aria-expanded', String(isOpen));
}

function load(): void {
  const loaded = chat;
  run(
    chats.load(chat).then(() => {
      if (loaded !== chat) return;
      isKnown = true;
      render();
    }),
  );
}

/** Shows the conversation of the address, or begins one. */
function open(): void {
  const named = location.hash.slice(1);
  chat = /^[A-Za-z0-9-]{4,60}$/.test(named) ? named : client.environment.randomId();
  announced = undefined;
  showProblem(undefined);
  showChats(false);
  isKnown = !named;
  if (named && chats.connection.isConnected()) load();
  render();
  scroll.scrollTop = scroll.scrollHeight;
}

form.onsubmit = (event) => {
  event.preventDefault();
  send(text.value);
};
text.oninput = resize;
text.onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send(text.value);
};
document.onkeydown = (event) => {
  if (event.key !== 'Escape') return;
  if (document.body.classList.contains('shows-chats')) showChats(false);
  else stop();
};
stopButton.onclick = stop;
toggle.onclick = () => showChats(!document.body.classList.contains('shows-chats'));
find('#new').onclick = () => {
  history.pushState(null, '', location.pathname);
  open();
  text.focus();
};
addEventListener('hashchange', open);
addEventListener('popstate', open);
for (const idea of IDEAS)
  find('#ideas').append(
    make('button', { type: 'button', className: 'button', textContent: idea, onclick: () => send(idea) }),
  );

let isLoaded = false;
chats.connection.onState((state) => {
  const connection = find('#connection');
  connection.textContent = statusWord(state);
  connection.dataset['state'] = state.name;
  if (state.name !== 'live' || isLoaded) return;
  isLoaded = true;
  run(chats.loadTitles());
  load();
});
find('#user').textContent = userId;
open();
chats.connection.connect();
text.focus();
