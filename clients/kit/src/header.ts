import { statusWord, type ConnectionState } from '@dunlin/client';
import { avatar } from './avatar';
import { element } from './dom';
import { icon } from './icons';
import type { SessionView } from './session';
import { maySignOut } from './signOut';
import { showToast } from './toasts';
import { kitWord, onKitWords } from './words';

/** Time limit of the flush before a sign-out, in milliseconds. After it the user decides about unsent changes. */
const FLUSH_MS = 3000;

export interface HeaderOptions {
  /** Returns the system's name, shown beside Dunlin's. Undefined on the landing page. Called again when the texts of the kit change. */
  readonly title: () => string | undefined;
  readonly session: SessionView;
  /** Returns the number of changes that the server has not confirmed. */
  readonly unsent: () => number;
  /** Sends unsent changes before the sign-out. */
  readonly flush: () => Promise<void>;
}

export interface Header {
  readonly element: HTMLElement;
  /** The element for controls of the page. */
  readonly tools: HTMLElement;
  /** Shows the state of a connection. Undefined hides it. */
  setConnection(state: ConnectionState | undefined): void;
  dispose(): void;
}

export type ConnectionLook = 'live' | 'reconnecting' | 'offline';

/** Returns how a state is displayed: green, yellow or red. */
export function connectionLook(state: ConnectionState): ConnectionLook {
  if (state.name === 'live') return 'live';
  return state.name === 'connecting' || state.name === 'waiting' ? 'reconnecting' : 'offline';
}

export function createHeader(options: HeaderOptions): Header {
  const { title, session } = options;
  const mark = createConnectionMark();
  const tools = element('div', { className: 'header-tools' });
  const account = element('div', { className: 'header-account' });
  const space = element('span', { className: 'header-space' });
  const header = element('header', { className: 'header' }, space, tools, mark.element, account);
  const show = () => {
    while (space.previousSibling) space.previousSibling.remove();
    space.before(...brand(title(), 'h1'));
    account.replaceChildren(...userMenu(options));
  };
  const cancels = [session.subscribe(show), onKitWords(show)];
  show();
  return {
    element: header,
    tools,
    setConnection: mark.show,
    dispose() {
      for (const cancel of cancels) cancel();
      header.remove();
    },
  };
}

/** The connection word of the header. */
export interface ConnectionMark {
  readonly element: HTMLElement;
  /** Shows the state of a connection. Undefined hides the mark. */
  readonly show: (state: ConnectionState | undefined) => void;
}

export function createConnectionMark(): ConnectionMark {
  const word = element('span', { className: 'connection-word' });
  const mark = element(
    'span',
    { className: 'connection', hidden: true, attributes: { 'aria-live': 'polite' } },
    element('span', { className: 'connection-dot' }),
    word,
  );
  return {
    element: mark,
    show(state) {
      mark.hidden = state === undefined;
      if (!state) return;
      const look = connectionLook(state);
      mark.dataset['connection'] = look;
      word.textContent = kitWord(look);
      // Names the states that share a colour, such as "Signed out".
      mark.title = look === 'offline' && state.name !== 'offline' ? statusWord(state) : kitWord(look);
    },
  };
}

/** Creates Dunlin's name and the system's name beside it, which is the first heading of a page. */
export function brand(title: string | undefined, tag: 'h1' | 'span' = 'span'): HTMLElement[] {
  const name = element('a', { className: 'brand', href: '/' }, logo(), 'Dunlin');
  if (title === undefined) return [name];
  return [name, element(tag, { className: 'header-system', textContent: title })];
}

function userMenu({ session, unsent, flush }: HeaderOptions): HTMLElement[] {
  const { user } = session;
  if (!user) return [];
  const signOut = element(
    'button',
    { type: 'button', className: 'menu-item' },
    icon('signOut'),
    kitWord('signOut'),
  );
  signOut.onclick = async () => {
    try {
      const patience = new Promise<void>((done) => setTimeout(done, FLUSH_MS));
      await Promise.race([flush(), patience]);
      if (await maySignOut(user.name, unsent())) await session.signOut();
    } catch {
      showToast({ kind: 'error', text: kitWord('signOutFailed') });
    }
  };
  const menu = element(
    'div',
    { className: 'menu', id: 'user-menu', attributes: { popover: 'auto' } },
    element(
      'div',
      { className: 'menu-head' },
      element('strong', { textContent: user.name }),
      element('span', { className: 'muted', textContent: user.roles.join(', ') }),
    ),
    element('a', { className: 'menu-item', href: '/' }, icon('list'), kitWord('allSystems')),
    signOut,
  );
  const button = element(
    'button',
    {
      type: 'button',
      className: 'user-button',
      title: kitWord('signedInAs', user.name),
      data: { user: user.userId },
      attributes: { popovertarget: 'user-menu' },
    },
    avatar(user.name),
    element('span', { className: 'user-name', textContent: user.name }),
    icon('more'),
  );
  return [button, menu];
}

// Three birds: a flock in a turn.
function logo(): SVGSVGElement {
  const svg = icon('up');
  svg.setAttribute('class', 'logo');
  svg
    .querySelector('path')!
    .setAttribute(
      'd',
      'M2 10c3-3 5-2 6 1c1-3 4-5 8-4M9 17c2-2 4-2 5 1c1-3 3-4 7-3M14 5c1-1.5 3-1.5 4 0c0-1.5 2-2.5 4-2',
    );
  return svg;
}
