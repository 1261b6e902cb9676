import { browserEnvironment } from '@dunlin/client';
import { showToast, startPage } from '@dunlin/kit';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { BranchStore } from './state/branchStore';
import { ColumnSettings } from './state/columns';
import { createWarrantyState } from './state/state';
import { followAddress, viewOfAddress } from './ui/address';
import { App } from './ui/App';
import { BranchContext } from './ui/context';

startPage({
  title: 'Warranty cases',
  home: '/branch/1',
  reason: 'Sign in to see the warranty cases.',
  start: (session) => {
    const { branchId, query, openId } = viewOfAddress();
    const state = createWarrantyState(session.user.userId, branchId);
    const store = new BranchStore({
      environment: browserEnvironment(),
      state,
      refresh: session.refresh,
      notify: showToast,
      unsavedStorage: session.storage,
      onSignedOut: session.end,
    });
    const columns = new ColumnSettings(state, session.storage);
    // A branch that cannot be displayed has no connection.
    const showConnection = () => {
      const { connection, problem } = state.getState();
      session.showConnection(problem ? undefined : connection);
    };
    showConnection();
    const cancels = [followAddress(store, state), state.subscribe(showConnection)];
    store.start(branchId, query);
    store.openCase(openId);
    const root = createRoot(session.root);
    root.render(createElement(BranchContext, { value: { store, state, columns } }, createElement(App)));
    session.trackUnsent({ count: () => state.getState().pending.size, flush: () => store.flush() });
    return () => {
      for (const cancel of cancels) cancel();
      root.unmount();
      store.dispose();
    };
  },
});
