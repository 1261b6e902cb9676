import { browserEnvironment } from '@dunlin/client';
import { showToast, startPage } from '@dunlin/kit';
import { createRoot } from 'react-dom/client';
import { Desk } from './state/desk';
import { createWarrantyState } from './state/state';
import { branchOfAddress, followAddress } from './ui/address';
import { App } from './ui/App';
import { DeskContext } from './ui/context';

startPage({
  title: 'Warranty cases',
  home: '/branch/1',
  reason: 'Sign in to see the warranty cases.',
  start: (session) => {
    const state = createWarrantyState(session.user.userId, branchOfAddress());
    const desk = new Desk({
      environment: browserEnvironment(),
      state,
      refresh: session.refresh,
      notify: showToast,
      unsavedStorage: session.storage,
      onSignedOut: session.end,
    });
    // A branch that cannot be shown has no connection.
    const showConnection = () => {
      const { connection, problem } = state.getState();
      session.showConnection(problem ? undefined : connection);
    };
    showConnection();
    const cancels = [followAddress((branchId) => desk.open(branchId)), state.subscribe(showConnection)];
    desk.start(state.getState().branchId);
    const root = createRoot(session.root);
    root.render(
      <DeskContext value={{ desk, state }}>
        <App />
      </DeskContext>,
    );
    session.trackUnsent({ count: () => state.getState().pending.size, flush: () => desk.flush() });
    return () => {
      for (const cancel of cancels) cancel();
      root.unmount();
      desk.dispose();
    };
  },
});
