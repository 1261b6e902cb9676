import { problemOf, type Problem } from '@dunlin/client';
import { element, isUsable, setUsable } from './dom';
import { brand } from './header';
import { icon } from './icons';
import type { SessionView } from './session';
import { createSignInForm } from './signIn';
import { kitWord } from './words';

export interface GateOptions {
  readonly session: SessionView;
  readonly title: string | undefined;
  readonly reason: string;
  /** Number of unsent changes of the previous user. */
  readonly waiting: number;
}

/** Creates the sign-in page. It contains no data of any user. */
export function createGate({ session, title, reason, waiting }: GateOptions): HTMLElement {
  const text = waiting === 1 ? kitWord('waitingOne') : kitWord('waitingMany', String(waiting));
  return frame(
    title,
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
  );
}

export interface UnreachableOptions {
  readonly session: SessionView;
  readonly title: string | undefined;
  readonly problem: Problem;
}

/** Creates the page for a server that did not answer. It gives way when the session can be loaded. */
export function createUnreachableGate({ session, title, problem }: UnreachableOptions): HTMLElement {
  const gate = frame(
    title,
    element('h1', { id: 'gate-title' }, icon('cloudOffline'), kitWord('unreachableTitle')),
    ...createRetry(session, problem),
  );
  gate.dataset['unreachable'] = '';
  return gate;
}

/** Creates the reason why the server could not be reached, and a button that tries again. */
export function createRetry(session: SessionView, problem: Problem): HTMLElement[] {
  const why = element('p', {
    className: 'muted',
    textContent: unreachableText(problem),
    attributes: { role: 'status' },
  });
  const button = element(
    'button',
    { type: 'button', className: 'button button-primary gate-retry' },
    icon('refresh'),
    kitWord('tryAgain'),
  );
  button.onclick = async () => {
    // Not `disabled`: the button would lose the focus.
    if (!isUsable(button)) return;
    setUsable(button, false);
    try {
      await session.load();
    } catch (error) {
      why.textContent = unreachableText(problemOf(error));
    } finally {
      setUsable(button, true);
    }
  };
  return [why, button];
}

function unreachableText(problem: Problem): string {
  if (!navigator.onLine) return kitWord('offlineText');
  return problem.kind === 'network' ? kitWord('unreachableText') : kitWord('serverFailed', problem.title);
}

function frame(title: string | undefined, ...content: (HTMLElement | false)[]): HTMLElement {
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
        ...content,
      ),
    ),
  );
}
