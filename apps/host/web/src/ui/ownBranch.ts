import { Client, problemOf } from '@dunlin/client';
import { element, type PageSession, type Stop } from '@dunlin/kit';
import { FactApi } from '../api/facts';

/** Opens the first branch of the user, or says that there is none. */
export function show(session: PageSession): Stop {
  const client = new Client({ user: session.user.userId, refresh: session.refresh });
  const api = new FactApi(client.requests, 'branch');
  let isOver = false;
  const main = element('main', { className: 'not-found', attributes: { 'aria-live': 'polite' } });
  session.root.append(main);
  const say = (title: string, ...more: HTMLElement[]) =>
    main.replaceChildren(element('h1', { textContent: title }), ...more);
  const open = async () => {
    try {
      const [branch] = await api.branches();
      if (isOver) return;
      if (branch) return location.replace(`/branch/${branch.id}`);
      say(
        'You belong to no branch',
        element('p', { className: 'muted', textContent: 'Ask an administrator to add you to one.' }),
        element('a', { className: 'button', href: '/', textContent: 'All systems' }),
      );
    } catch (error) {
      if (isOver) return;
      const problem = problemOf(error);
      if (problem.kind === 'signedOut') return session.end();
      const again = element('button', { type: 'button', className: 'button', textContent: 'Try again' });
      again.onclick = () => void open();
      const why = problem.kind === 'network' ? 'The server cannot be reached.' : problem.title;
      say('Your branch could not be found', element('p', { className: 'muted', textContent: why }), again);
    }
  };
  void open();
  return () => {
    isOver = true;
    client.dispose();
  };
}
