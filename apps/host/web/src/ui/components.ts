import type { ConnectionState } from '@dunlin/client';
import { avatar, element, icon, iconPaths, showToast, type IconName } from '@dunlin/kit';
import {
  createConnectionMark,
  createGate,
  createHeader,
  createSignInForm,
  createUnreachableGate,
  maySignOut,
  requireSignIn,
} from '@dunlin/kit/parts';
import { network, sampleSession, tooMany, wrongPassword } from './samples';

const common = { stream: 1, attempt: 1 };

const connections: readonly ConnectionState[] = [
  { ...common, name: 'live' },
  { ...common, name: 'connecting', refresh: false },
  { ...common, name: 'waiting', delayMs: 1000, serverMandated: false, refresh: false },
  { ...common, name: 'offline', delayMs: 1000 },
  { ...common, name: 'signedOut', reason: 'signedOut' },
  { ...common, name: 'closed', suspended: false },
];

const people = ['Alice Archer', 'Bob Baker', 'Carol Carter', 'Dave Dyer', 'Željka Šarić', 'Mo'];

/** Pages that fill the window, by the value of `?show=`. */
const gates: Readonly<Record<string, { readonly name: string; readonly create: () => HTMLElement }>> = {
  gate: { name: 'Sign-in page', create: () => gate(0) },
  'gate-waiting': { name: 'Sign-in page with unsent changes', create: () => gate(3) },
  unreachable: {
    name: 'Server out of reach',
    create: () =>
      createUnreachableGate({ session: sampleSession(network), title: 'Things', problem: network }),
  },
  'sign-in': {
    name: 'Sign in over the page',
    create: () => {
      void requireSignIn({ ...sampleSession(wrongPassword), user: undefined });
      return element('main', { className: 'components' }, element('h1', { textContent: 'A page' }));
    },
  },
};

function gate(waiting: number): HTMLElement {
  const reason = 'Sign in to see your things.';
  return createGate({ session: sampleSession(wrongPassword), title: 'Things', reason, waiting });
}

/** Shows every shared part in each of its states, for people who write a page. */
export function show(root: HTMLElement): void {
  const chosen = gates[new URLSearchParams(location.search).get('show') ?? ''];
  if (chosen) {
    root.append(chosen.create());
    return;
  }
  const session = sampleSession(network);
  const header = createHeader({
    title: () => undefined,
    session,
    unsent: () => 0,
    flush: () => Promise.resolve(),
  });
  header.setConnection(connections[0]);
  root.className = 'page';
  root.append(
    header.element,
    element(
      'main',
      { className: 'components' },
      element('h1', { textContent: 'Components' }),
      element('p', {
        className: 'muted',
        textContent:
          'The shared parts of all pages, in each of their states. The colours follow the system: light or dark.',
      }),
      section('Whole pages', ...Object.entries(gates).map(([key, { name }]) => pageLink(key, name))),
      section('Connection', ...connections.map(connection)),
      section('Buttons', ...buttons()),
      section('Fields', fields()),
      section(
        'Sign-in form',
        signIn('New'),
        signIn('Wrong password', wrongPassword),
        signIn('Too many attempts', tooMany),
      ),
      section('Toasts', ...toasts()),
      section('Dialogs', ...dialogs()),
      section('Avatars', ...people.map(person)),
      section('Icons', ...(Object.keys(iconPaths) as IconName[]).map(named)),
    ),
  );
  // A form outside the document cannot be submitted.
  for (const form of root.querySelectorAll<HTMLFormElement>('[data-submit] form')) form.requestSubmit();
}

function section(title: string, ...content: HTMLElement[]): HTMLElement {
  const id = `part-${title.toLowerCase().replaceAll(' ', '-')}`;
  return element(
    'section',
    { className: 'part', attributes: { 'aria-labelledby': id } },
    element('h2', { id, textContent: title }),
    element('div', { className: 'part-content' }, ...content),
  );
}

function pageLink(key: string, name: string): HTMLElement {
  return element('a', { className: 'button', href: `?show=${key}`, textContent: name });
}

function connection(state: ConnectionState): HTMLElement {
  const mark = createConnectionMark();
  mark.show(state);
  return mark.element;
}

function button(text: string, className = '', run?: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', className: `button ${className}`, textContent: text });
  if (run) made.onclick = run;
  return made;
}

function buttons(): HTMLElement[] {
  const disabled = button('Disabled');
  disabled.disabled = true;
  const close = element('button', {
    type: 'button',
    className: 'icon-button',
    title: 'Close',
    attributes: { 'aria-label': 'Close' },
  });
  close.append(icon('close'));
  return [
    button('Plain'),
    button('Primary', 'button-primary'),
    button('Danger', 'button-danger'),
    button('Small', 'button-small'),
    disabled,
    close,
  ];
}

function fields(): HTMLElement {
  return element(
    'form',
    { className: 'form part-form' },
    element('label', { className: 'field' }, 'Text', element('input', { value: 'A value' })),
    element(
      'label',
      { className: 'field' },
      'Choice',
      element(
        'select',
        {},
        element('option', { textContent: 'One' }),
        element('option', { textContent: 'Two' }),
      ),
    ),
    element('label', { className: 'field' }, 'Long text', element('textarea', { rows: 3 })),
    element('p', { className: 'form-failure', textContent: 'What is wrong, and how to put it right.' }),
  );
}

/** Shows the form after an attempt that failed. */
function signIn(name: string, problem?: Parameters<typeof sampleSession>[0]): HTMLElement {
  const form = createSignInForm(sampleSession(problem ?? network));
  if (problem) {
    form.querySelector<HTMLInputElement>('[name=username]')!.value = 'alice';
    form.querySelector<HTMLInputElement>('[name=password]')!.value = 'not-it';
    form.dataset['submit'] = '';
  }
  return element('div', { className: 'part-form' }, element('h3', { textContent: name }), form);
}

function toasts(): HTMLElement[] {
  const info = 'Saved on this device. It is sent when the network is back.';
  return [
    button('Information', '', () => showToast({ text: info })),
    button('Error', '', () => showToast({ kind: 'error', text: 'The server refused the change.' })),
    button('With an action', '', () =>
      showToast({ text: 'The task was deleted.', action: { label: 'Undo', done: 'Undone', run: () => {} } }),
    ),
    button('With lost input', '', () =>
      showToast({ kind: 'error', text: 'Your text could not be saved.', copy: 'The text' }),
    ),
  ];
}

function dialogs(): HTMLElement[] {
  return [
    button('Sign out with unsent changes', '', () => void maySignOut('Alice Archer', 2)),
    pageLink('sign-in', 'Sign in over the page'),
  ];
}

function person(name: string): HTMLElement {
  return element('span', { className: 'part-named' }, avatar(name), name);
}

function named(name: IconName): HTMLElement {
  return element('span', { className: 'part-named' }, icon(name), name);
}
