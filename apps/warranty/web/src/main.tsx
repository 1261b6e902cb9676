import { browserEnvironment } from '@dunlin/client';
import { copyText, Session, showToast, startPage } from '@dunlin/kit';
import { createRoot } from 'react-dom/client';
import { Desk, type Notice } from './state/desk';
import { createWarrantyState } from './state/state';
import { branchOfAddress, followAddress } from './ui/address';
import { App } from './ui/App';
import { DeskContext } from './ui/context';

const session = new Session();

function notify({ text, kind, typed }: Notice): void {
  const copy = { label: 'Copy', done: 'Copied', run: () => copyText(typed ?? '') };
  showToast({ text, kind, action: typed ? copy : undefined });
}

startPage({
  session,
  system: () => 'Warranty cases',
  home: '/branch/1',
  reason: () => 'Sign in to see the warranty cases.',
  start: (user, place) => {
    const state = createWarrantyState(user.userId, branchOfAddress());
    const desk = new Desk({
      environment: browserEnvironment(),
      state,
      refresh: () => session.refresh(),
      notify,
      unsavedStorage: storageOrNothing(),
      onSignedOut: () => session.markSignedOut(),
    });
    const root = createRoot(place);
    const stopFollowing = followAddress((branchId) => desk.open(branchId));
    desk.start(state.getState().branchId);
    root.render(
      <DeskContext value={{ desk, state, session }}>
        <App />
      </DeskContext>,
    );
    return {
      unsent: () => state.getState().pending.size,
      dispose: () => {
        stopFollowing();
        root.unmount();
        desk.dispose();
      },
    };
  },
});

// Reading localStorage throws where storage is blocked.
function storageOrNothing(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
