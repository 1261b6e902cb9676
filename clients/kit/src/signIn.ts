import { problemOf } from '@dunlin/client';
import { avatar } from './avatar';
import { element } from './dom';
import { icon } from './icons';
import type { Session, User } from './session';
import { kitWord } from './words';

/** Creates a form for user name and password, with a button for each demo account. */
export function createSignInForm(session: Session): HTMLElement {
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

  const signIn = async (name: string, secret: string) => {
    failure.hidden = true;
    submit.disabled = true;
    try {
      await session.signIn(name, secret);
    } catch (error) {
      const problem = problemOf(error);
      failure.textContent = problem.kind === 'network' ? kitWord('unreachable') : problem.title;
      failure.hidden = false;
    } finally {
      submit.disabled = false;
    }
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    void signIn(username.value, password.value);
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

let open: Promise<User> | undefined;

/** Shows a sign-in dialog over the page, which stays visible below. Resolves with the user. Concurrent calls share one dialog. */
export function requireSignIn(session: Session, reason = kitWord('signInReason')): Promise<User> {
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
