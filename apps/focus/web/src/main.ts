import { requireSignIn, Session, showToast, type User } from '@dunlin/kit';
import { mount } from 'svelte';
import { Focus } from './state/focus.svelte';
import App from './ui/App.svelte';

const session = new Session();

async function signIn(): Promise<User> {
  try {
    const user = await session.load();
    if (user) return user;
  } catch {
    // The sign-in says that the server cannot be reached.
  }
  return requireSignIn(session, 'Sign in to see your timer on all your devices.');
}

function start(user: User): void {
  let isAsking = false;
  const focus = new Focus({
    user: user.userId,
    refresh: () => session.refresh(),
    notify: (text, kind = 'info') => showToast({ text, kind }),
    storage: storageOrNothing(),
    onSignedOut: () => {
      if (isAsking) return;
      isAsking = true;
      session.markSignedOut();
      void requireSignIn(session, 'You were signed out. Sign in to go on.').then((again) => {
        isAsking = false;
        // Another user's page is another page. What this one made offline waits for its user.
        if (again.userId !== user.userId) location.reload();
        else focus.signedIn();
      });
    },
  });
  focus.start();
  mount(App, { target: document.getElementById('page')!, props: { focus, session } });
}

// Reading localStorage throws where storage is blocked.
function storageOrNothing(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

void signIn().then(start);
