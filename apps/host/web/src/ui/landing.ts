import { element, icon, showToast, type PageSession, type Stop, type User } from '@dunlin/kit';
import type { Fact } from '../api/facts';
import { systems } from '../state/systems';
import { Tiles } from '../state/tiles';
import { createTile, type Tile } from './tile';

/** Below this width the systems come first. Equal to the width in landing.css. */
const PHONE = '(max-width: 860px)';

function accountContent(session: PageSession<User | undefined>): HTMLElement[] {
  const { state } = session;
  if (state.name === 'unknown') return [];
  if (state.name === 'unreachable')
    return [element('h2', { textContent: 'The server cannot be reached' }), ...session.createRetry()];
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

/** Keeps the tiles up to date for a signed-in user. */
function follow(session: PageSession<User | undefined>, tiles: ReadonlyMap<string, Tile>): Stop {
  const { user } = session;
  if (!user) return () => {};
  const live = new Tiles({
    user: user.userId,
    refresh: session.refresh,
    onSignedOut: () => session.end(),
    onConnection: (state) => session.showConnection(state),
    show: (system: string, fact: Fact | undefined) => tiles.get(system)?.show(fact),
  });
  return () => live.dispose();
}

/** Builds the landing page for a user or a visitor. */
export function show(session: PageSession<User | undefined>): Stop {
  const account = element('section', {
    className: 'landing-account',
    attributes: { 'aria-label': 'Your session' },
  });
  const showAccount = () => account.replaceChildren(...accountContent(session));
  showAccount();
  const tiles = new Map(systems.map((system) => [system.name, createTile(system)]));
  const cards = element(
    'nav',
    { className: 'cards', attributes: { 'aria-label': 'Systems' } },
    ...[...tiles.values()].map((tile) => tile.element),
  );
  const text = element(
    'div',
    { className: 'hero-text' },
    element('p', {
      textContent:
        'Dunlin is a real-time synchronisation server over plain HTTP: browsers hold one event stream, and changes go in as ordinary requests. ' +
        'It gives applications streams that miss nothing, edit locks that cannot be overrun, and replication that works offline.',
    }),
    ...documentationLink(),
  );
  const hero = element(
    'section',
    { className: 'hero', attributes: { 'aria-labelledby': 'landing-title' } },
    element('h1', { id: 'landing-title', textContent: 'Every screen in step.' }),
  );
  const main = element('main', { className: 'landing' });
  const phone = matchMedia(PHONE);
  // Moves the elements instead of reordering them by style, so that the focus follows the visible order.
  const arrange = () => {
    if (phone.matches) main.append(hero, cards, account, text);
    else main.append(hero, account, cards);
    if (!phone.matches) hero.append(text);
  };
  arrange();
  phone.addEventListener('change', arrange);
  session.root.append(main);
  const stops = [session.subscribe(showAccount), follow(session, tiles)];
  return () => {
    phone.removeEventListener('change', arrange);
    for (const stop of stops) void stop();
    for (const tile of tiles.values()) tile.show(undefined);
  };
}
