import { startPage, showToast } from '@dunlin/kit';
import { mount, unmount } from 'svelte';
import { Api, ApiError } from './api/api';
import type { Mode } from './api/types';
import App from './ui/App.svelte';
import TokenGate from './ui/TokenGate.svelte';

const TOKEN = 'dunlin.inspector.token';

async function start(): Promise<void> {
  const page = document.getElementById('page')!;
  let mode: Mode;
  try {
    mode = await new Api('', undefined).get<Mode>('mode');
  } catch (error) {
    const text = error instanceof ApiError ? error.message : String(error);
    page.replaceChildren(failure(text));
    return;
  }
  if (mode.accounts) startWithAccounts(mode);
  else startWithToken(mode, page);
}

function startWithAccounts(mode: Mode): void {
  startPage({
    title: 'Inspector',
    home: './',
    reason: 'Sign in as an administrator to see what this server does.',
    start(session) {
      const app = mount(App, {
        target: session.root,
        props: {
          api: new Api(mode.engine, undefined),
          mode,
          user: session.user.userId,
          onSignedOut: () => session.end('expired'),
        },
      });
      return () => unmount(app);
    },
  });
}

/** A server without accounts. The token stays in this tab: memory, and the session storage so that a reload keeps it. */
function startWithToken(mode: Mode, page: HTMLElement): void {
  let stop = () => Promise.resolve();
  const showGate = (reason?: string) => {
    write(undefined);
    const gate = mount(TokenGate, {
      target: page,
      props: { reason, onToken: (token: string) => void open(token) },
    });
    stop = () => unmount(gate);
  };
  const open = async (token: string) => {
    await stop();
    write(token);
    const app = mount(App, {
      target: page,
      props: {
        api: new Api(mode.engine, token),
        mode,
        onSignedOut: (reason?: string) => void stop().then(() => showGate(reason)),
      },
    });
    stop = () => unmount(app);
  };
  const known = read();
  if (known) void open(known);
  else showGate();
}

function read(): string | undefined {
  try {
    return sessionStorage.getItem(TOKEN) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(token: string | undefined): void {
  try {
    if (token === undefined) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, token);
  } catch {
    // Storage is blocked: a reload then asks for the token again.
  }
}

function failure(text: string): HTMLElement {
  const main = document.createElement('main');
  main.className = 'inspector-failure';
  const title = document.createElement('h1');
  title.textContent = 'The inspector cannot start';
  const why = document.createElement('p');
  why.textContent = text;
  const button = document.createElement('button');
  button.className = 'button button-primary';
  button.textContent = 'Try again';
  button.onclick = () => location.reload();
  main.append(title, why, button);
  return main;
}

addEventListener('unhandledrejection', ({ reason }) => {
  if (reason instanceof ApiError) showToast({ kind: 'error', text: reason.message });
});

void start();
