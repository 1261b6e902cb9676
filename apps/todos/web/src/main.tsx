import { requireSignIn, Session, type User } from '@dunlin/kit';
import { createRoot } from 'react-dom/client';
import { Desk } from './data/desk';
import { App } from './ui/App';
import { StreamPage } from './ui/StreamPage';

const session = new Session();
const LAST_USER = 'dunlin.todos.user';

/** Who was signed in here last: their lists can be read and changed without a network. */
function lastUser(): User | undefined {
  try {
    return JSON.parse(localStorage.getItem(LAST_USER) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

async function whoIsIt(): Promise<User> {
  let user: User | undefined;
  try {
    user = await session.load();
  } catch {
    user = lastUser();
  }
  user ??= await requireSignIn(session, 'Sign in to see your lists.');
  try {
    localStorage.setItem(LAST_USER, JSON.stringify(user));
  } catch {
    // Storage is blocked: then there is no page without a network.
  }
  return user;
}

void whoIsIt().then((user) => {
  const root = createRoot(document.getElementById('page')!);
  if (location.pathname === '/todos/stream') return root.render(<StreamPage session={session} />);
  const desk = new Desk({
    user,
    session,
    signIn: () => requireSignIn(session, 'You were signed out. What you did is kept: sign in to go on.'),
  });
  session.subscribe(() => {
    if (session.state.name !== 'signedOut') return;
    try {
      localStorage.removeItem(LAST_USER);
    } catch {
      // Nothing was kept.
    }
  });
  root.render(<App desk={desk} session={session} user={user} />);
});
