import { browserEnvironment, type Problem } from '@dunlin/client';
import { openOffline, showToast, startPage } from '@dunlin/kit';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { TodosStore } from './state/todosStore';
import { Undo } from './state/undo';
import { App } from './ui/App';
import { StreamPage } from './ui/StreamPage';

function wordsOf(problem: Problem): string {
  const detail = problem.detail?.['detail'];
  return typeof detail === 'string' ? detail : problem.title;
}

startPage({
  title: 'Todos',
  home: '/todos',
  reason: 'Sign in to see your lists.',
  isOffline: true,
  start: (session) => {
    const root = createRoot(session.root);
    if (location.pathname === '/todos/stream') {
      root.render(createElement(StreamPage, { session }));
      return () => root.unmount();
    }
    const store = new TodosStore({
      user: session.user,
      refresh: session.refresh,
      onSignedOut: session.end,
      onGivenUp: (text, problem) => {
        const what = text === '' ? 'A change' : `“${text}”`;
        showToast({ kind: 'error', text: `${what} was given up. ${wordsOf(problem)}`, copy: text });
      },
      onRefused: (problem) =>
        showToast({
          kind: 'error',
          text: `The server takes no changes now. They are kept here. ${wordsOf(problem)}`,
        }),
    });
    session.showConnection(store.connection.state);
    const stopShowing = store.connection.onState((state) => session.showConnection(state));
    const undo = new Undo({ show: showToast, environment: browserEnvironment() });
    root.render(createElement(App, { store, undo, user: session.user }));
    session.trackUnsent({ count: () => store.pending.count });
    return () => {
      stopShowing();
      undo.dispose();
      root.unmount();
      return store.dispose();
    };
  },
});

openOffline('todos');
