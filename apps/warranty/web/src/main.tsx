import { browserEnvironment } from '@dunlin/client';
import { requireSignIn, Session, showToast, type User } from '@dunlin/kit';
import { createRoot } from 'react-dom/client';
import { Desk, type Notice } from './state/desk';
import { createWarrantyState } from './state/state';
import { branchOfAddress, followAddress } from './ui/address';
import { App } from './ui/App';
import { DeskContext } from './ui/context';

const session = new Session();

function notify({ text, kind, typed }: Notice): void {
  const copy = { label: 'Copy', done: 'Copied', run: () => navigator.clipboard.writeText(typed ?? '') };
  showToast({ text, kind, action: typed ? copy : undefined });
}

async function signIn(reason: string): Promise<User> {
  try {
    const user = await session.load();
    if (user) return user;
  } catch {
    // The sign-in says that the server cannot be reached.
  }
  return requireSignIn(session, reason);
}

function start(user: User): void {
  const environment = browserEnvironment();
  const state = createWarrantyState(user.userId, branchOfAddress());
  let isAsking = false;
  const desk = new Desk({
    environment,
    state,
    refresh: () => session.refresh(),
    notify,
    unsavedStorage: storageOrNothing(),
    onSignedOut: () => {
      if (isAsking) return;
      isAsking = true;
      session.markSignedOut();
      void requireSignIn(session, 'You were signed out. What you typed is kept: sign in to go on.').then(
        (again) => {
          isAsking = false;
          // Another user's page is another page. What this one left unsaved waits for its user.
          if (again.userId !== user.userId) location.reload();
          else desk.signedIn();
        },
      );
    },
  });
  followAddress((branchId) => desk.open(branchId));
  desk.start(state.getState().branchId);
  createRoot(document.getElementById('page')!).render(
    <DeskContext value={{ desk, state, session }}>
      <App />
    </DeskContext>,
  );
}

// Reading localStorage throws where storage is blocked.
function storageOrNothing(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

void signIn('Sign in to see the warranty cases.').then(start);
