import { element } from './dom';
import { brand } from './header';
import { icon } from './icons';
import type { Session } from './session';
import { createSignInForm } from './signIn';
import { kitWord } from './words';

export interface GateOptions {
  readonly session: Session;
  readonly title: string | undefined;
  readonly reason: string;
  /** Number of unsent changes of the previous user. */
  readonly waiting: number;
}

/** Creates the sign-in page. It contains no data of any user. */
export function createGate({ session, title, reason, waiting }: GateOptions): HTMLElement {
  const text = waiting === 1 ? kitWord('waitingOne') : kitWord('waitingMany', String(waiting));
  return element(
    'div',
    { className: 'gate', data: { gate: '' } },
    element('header', { className: 'header' }, ...brand(title)),
    element(
      'main',
      { className: 'gate-main' },
      element(
        'section',
        { className: 'gate-card', attributes: { 'aria-labelledby': 'gate-title' } },
        element('h1', { id: 'gate-title' }, icon('lock'), kitWord('signIn')),
        element('p', { className: 'muted', textContent: reason, attributes: { role: 'status' } }),
        waiting > 0 &&
          element(
            'p',
            { className: 'gate-waiting', data: { waiting: String(waiting) } },
            icon('clock'),
            element('span', { textContent: text }),
          ),
        createSignInForm(session),
      ),
    ),
  );
}
