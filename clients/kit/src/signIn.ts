import { problemOf, type Problem } from '@dunlin/client';
import { avatar } from './avatar';
import { element, isUsable, setUsable } from './dom';
import { icon } from './icons';
import type { SessionView, User } from './session';
import { kitWord } from './words';

/** Creates a form for user name and password, with a button for each demo account. */
export function createSignInForm(session: SessionView): HTMLElement {
  const username = element('input', {
    name: 'username',
    autocomplete: 'username',
    required: true,
    maxLength: 64,
  });
  const password = element('input', {
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const failure = element('p', { className: 'form-failure', hidden: true, attributes: { role: 'alert' } });
  const submit = element('button', {
    type: 'submit',
    className: 'button button-primary',
    textContent: kitWord('signIn'),
  });
  const form = element(
    'form',
    { className: 'form', method: 'post' },
    element('label', { className: 'field' }, kitWord('userName'), username),
    element('label', { className: 'field' }, kitWord('password'), password),
    failure,
    submit,
  );
  const demo = element('div', { className: 'demo', hidden: true });

  let isBusy = false;
  let stopWaiting: (() => void) | undefined;
  const signIn = async (name: string, secret: string) => {
    if (isBusy) return;
    isBusy = true;
    stopWaiting?.();
    stopWaiting = undefined;
    failure.hidden = true;
    setUsable(submit, false);
    try {
      await session.signIn(name, secret);
    } catch (error) {
      const problem = problemOf(error);
      failure.textContent = failureText(problem);
      failure.hidden = false;
      if (problem.status === 429) stopWaiting = waitFor(submit, problem, failure);
    } finally {
      isBusy = false;
      if (!stopWaiting) setUsable(submit, true);
    }
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    if (isUsable(submit)) void signIn(username.value, password.value);
  };

  void session.demo().then((found) => {
    if (!found) return;
    demo.hidden = false;
    demo.append(
      element('p', { className: 'muted', textContent: kitWord('demo') }),
      element(
        'div',
        { className: 'demo-accounts' },
        ...found.accounts.map((account) => {
          const button = element(
            'button',
            {
              type: 'button',
              className: 'account',
              data: { account: account.username },
              onclick: () => void signIn(account.username, found.password),
            },
            avatar(account.fullName),
            element(
              'span',
              {},
              element('strong', { textContent: account.fullName }),
              element('small', { className: 'muted', textContent: account.roles.join(', ') }),
            ),
          );
          return button;
        }),
      ),
      element('p', { className: 'or', textContent: kitWord('or') }),
    );
  });
  return element('div', { className: 'sign-in' }, demo, form);
}

function failureText(problem: Problem): string {
  if (problem.kind === 'network') return kitWord('unreachable');
  return problem.status === 429 ? kitWord('tooMany') : problem.title;
}

/** Wait without a `Retry-After`, in milliseconds. */
const WAIT_MS = 5000;

/**
 * Counts down on a button that cannot be used meanwhile. It keeps the focus, which a disabled button would lose. Returns a function that
 * ends the wait.
 */
function waitFor(button: HTMLButtonElement, problem: Problem, failure: HTMLElement): () => void {
  const ms = 'retryAfterMs' in problem ? problem.retryAfterMs : undefined;
  const until = Date.now() + (ms ?? WAIT_MS);
  const word = button.textContent;
  const stop = () => {
    clearInterval(timer);
    button.textContent = word;
    setUsable(button, true);
  };
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0 && button.isConnected) {
      button.textContent = kitWord('tryAgainIn', String(left));
      return;
    }
    stop();
    failure.hidden = true;
  };
  const timer = setInterval(show, 250);
  show();
  return stop;
}

let open: Promise<User> | undefined;

/** Shows a sign-in dialog over the page, which stays visible below. Resolves with the user. Concurrent calls share one dialog. */
export function requireSignIn(session: SessionView, reason = kitWord('signInReason')): Promise<User> {
  open ??= new Promise<User>((resolve) => {
    const dialog = element(
      'dialog',
      { className: 'dialog sign-in-dialog', attributes: { 'aria-labelledby': 'sign-in-title' } },
      element('h2', { id: 'sign-in-title' }, icon('lock'), kitWord('signIn')),
      element('p', { className: 'muted', textContent: reason }),
      createSignInForm(session),
    );
    // The dialog cannot be cancelled, because the page below needs a session.
    dialog.oncancel = (event) => event.preventDefault();
    const finish = () => {
      if (!session.user) return;
      stop();
      dialog.remove();
      open = undefined;
      resolve(session.user);
    };
    const stop = session.subscribe(finish);
    document.body.append(dialog);
    dialog.showModal();
    finish();
  });
  return open;
}
