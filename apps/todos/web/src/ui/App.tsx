import type { User } from '@dunlin/kit';
import { useEffect } from 'react';
import type { TodosStore } from '../state/todosStore';
import type { TodoList } from '../state/mutators';
import { useAddress, useLoad, usePending, useQuery } from './hooks';
import { Icon } from './Icon';
import { ListPanel } from './ListPanel';
import { Lists } from './Lists';
import { Loading } from './Loading';

interface Props {
  readonly store: TodosStore;
  readonly user: User;
}

export function App({ store, user }: Props) {
  const [address, go] = useAddress();
  const lists = useQuery(
    store,
    async (tx) => (await tx.scan({ prefix: 'list/' }).values().toArray()) as unknown as TodoList[],
    'lists',
  )?.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const load = useLoad(store);
  // Lists that were made before the first load are shown at once.
  const isLoaded = lists !== undefined && (load.name === 'loaded' || lists.length > 0);
  const list = lists?.find(({ id }) => id === address);
  useEffect(() => {
    document.title = list ? `${list.name} · Todos` : 'Todos · Dunlin';
  }, [list?.name]);
  return (
    <div className="app" data-open={address ?? ''}>
      <PendingNote store={store} />
      <div className="columns">
        <Lists store={store} lists={lists} isLoaded={isLoaded} me={user.userId} open={address} onOpen={go} />
        <main className="panel">
          {list ? (
            <ListPanel
              key={list.id}
              store={store}
              list={list}
              me={user.userId}
              onClose={() => go(undefined)}
            />
          ) : !isLoaded ? (
            address !== undefined && <Loading store={store} load={load} />
          ) : (
            <Nothing isGone={address !== undefined} onBack={() => go(undefined)} />
          )}
        </main>
      </div>
    </div>
  );
}

function Nothing({ isGone, onBack }: { isGone: boolean; onBack: () => void }) {
  return (
    <div className="nothing">
      <Icon name={isGone ? 'info' : 'check'} />
      <h2>{isGone ? 'This list is not here' : 'Choose a list'}</h2>
      <p className="muted">
        {isGone
          ? 'It was deleted, or is no longer shared with you.'
          : 'Everything you do is kept in this browser at once, and sent as soon as there is a network.'}
      </p>
      {isGone && (
        <button type="button" className="button" onClick={onBack}>
          To all lists
        </button>
      )}
    </div>
  );
}

function PendingNote({ store }: { store: TodosStore }) {
  const pending = usePending(store);
  return (
    <div className="pending" data-pending={pending.count} role="status" hidden={pending.count === 0}>
      <Icon name="clock" />
      {pending.count === 1 ? '1 change is' : `${pending.count} changes are`} kept here and not yet sent
    </div>
  );
}
