import { element, icon, showToast, type PageSession, type Stop, type User } from '@dunlin/kit';
import { systems, type System } from '../state/systems';

declare const __SYSTEMS__: readonly string[];

function card(system: System): HTMLElement {
  const isThere = __SYSTEMS__.includes(system.name);
  const content = [
    element('span', { className: 'card-icon' }, icon(system.icon)),
    element('h2', { textContent: system.title }),
    element('p', { className: 'muted', textContent: system.text }),
  ];
  const data = { system: system.name };
  return isThere
    ? element('a', { className: 'card', href: system.address, data }, ...content, icon('right'))
    : element(
        'div',
        { className: 'card card-coming', data },
        ...content,
        element('span', { className: 'badge', textContent: 'Coming' }),
      );
}

function accountContent(session: PageSession<User | undefined>): HTMLElement[] {
  const { state } = session;
  if (state.name === 'unknown') return [];
  if (state.name === 'unreachable')
    return [
      element('h2', { textContent: 'The server cannot be reached' }),
      element('p', { className: 'muted', textContent: 'Check that it runs, then load this page again.' }),
    ];
  if (state.name === 'signedOut')
    return [element('h2', { textContent: 'Sign in' }), session.createSignInForm()];
  const signOut = element('button', { type: 'button', className: 'button' }, icon('signOut'), 'Sign out');
  signOut.onclick = () =>
    void session
      .signOut()
      .catch(() =>
        showToast({ kind: 'error', text: 'Signing out did not work: the server cannot be reached.' }),
      );
  return [
    element('h2', { textContent: `Welcome, ${state.user.name}` }),
    element('p', {
      className: 'muted',
      textContent:
        'Choose a system. To see two people at work, open a private window beside this one and sign in there as somebody else.',
    }),
    signOut,
  ];
}

/** Returns the link to the documentation. The server adds its address to the head of the page where the site is built. */
function documentationLink(): HTMLElement[] {
  const link = document.querySelector<HTMLLinkElement>('link[rel="help"]');
  return link
    ? [element('p', {}, element('a', { href: link.href, textContent: 'Read the documentation' }))]
    : [];
}

/** Builds the landing page for a user or a visitor. */
export function show(session: PageSession<User | undefined>): Stop {
  const account = element('section', { className: 'landing-account' });
  const showAccount = () => account.replaceChildren(...accountContent(session));
  showAccount();
  session.root.append(
    element(
      'main',
      { className: 'landing' },
      element(
        'section',
        { className: 'hero' },
        element('h1', { textContent: 'Every screen in step.' }),
        element('p', {
          textContent:
            'Dunlin is a real-time synchronisation server over plain HTTP: browsers hold one event stream, and changes go in as ordinary requests. ' +
            'It gives applications streams that miss nothing, edit locks that cannot be overrun, and replication that works offline.',
        }),
        ...documentationLink(),
      ),
      account,
      element('nav', { className: 'cards', attributes: { 'aria-label': 'Systems' } }, ...systems.map(card)),
    ),
  );
  return session.subscribe(showAccount);
}
