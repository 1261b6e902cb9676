import type { Problem } from '@dunlin/client';
import { copyText, Session, showToast, startPage, type User } from '@dunlin/kit';
import { createRoot } from 'react-dom/client';
import { Desk } from './data/desk';
import { App } from './ui/App';
import { StreamPage } from './ui/StreamPage';

const session = new Session();

function wordsOf(problem: Problem): string {
  const detail = problem.detail?.['detail'];
  return typeof detail === 'string' ? detail : problem.title;
}

function tellGivenUp(text: string, problem: Problem): void {
  const what = text === '' ? 'A change' : `“${text}”`;
  const action = { label: 'Copy', done: 'Copied', run: () => copyText(text) };
  showToast({
    kind: 'error',
    text: `${what} was given up. ${wordsOf(problem)}`,
    action: text === '' ? undefined : action,
  });
}

startPage({
  session,
  system: () => 'Todos',
  home: '/todos',
  reason: () => 'Sign in to see your lists.',
  isOffline: true,
  start: (user: User, place: HTMLElement) => {
    const root = createRoot(place);
    if (location.pathname === '/todos/stream') {
      root.render(<StreamPage session={session} user={user} />);
      return { dispose: () => root.unmount() };
    }
    const desk = new Desk({
      user,
      refresh: () => session.refresh(),
      onSignedOut: () => session.markSignedOut(),
      onGivenUp: tellGivenUp,
      onRefused: (problem) =>
        showToast({
          kind: 'error',
          text: `The server takes no changes now. They are kept here. ${wordsOf(problem)}`,
        }),
    });
    root.render(<App desk={desk} session={session} user={user} />);
    return {
      unsent: () => desk.pending.count,
      dispose: () => {
        root.unmount();
        return desk.dispose();
      },
    };
  },
});
