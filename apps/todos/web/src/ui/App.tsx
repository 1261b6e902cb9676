import type { User } from '@dunlin/kit';
import { useEffect, useRef } from 'react';
import type { TodoList } from '../state/mutators';
import type { TodosStore } from '../state/todosStore';
import type { Undo } from '../state/undo';
import { focusRow } from './entryKeys';
import { Help } from './Help';
import { SEARCH, TODAY, UndoContext, useAddress, useLoad, usePending, useQuery } from './hooks';
import { Icon } from './Icon';
import { ListPanel } from './ListPanel';
import { Lists } from './Lists';
import { Loading } from './Loading';
import { SearchView } from './SearchView';
import { TodayView } from './TodayView';

interface Props {
  readonly store: TodosStore;
  readonly user: User;
  readonly undo: Undo;
}

/** The width from which lists and entries are side by side, as in todos.css. */
const WIDE = '(min-width: 721px)';

export function App({ store, user, undo }: Props) {
  const { place, go } = useAddress();
  const help = useRef<HTMLDialogElement>(null);
  const lists = useQuery(
    store,
    async (tx) => (await tx.scan({ prefix: 'list/' }).values().toArray()) as unknown as TodoList[],
    'lists',
  )?.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const load = useLoad(store);
  // Lists that were made before the first load are shown at once.
  const isLoaded = lists !== undefined && (load.name === 'loaded' || lists.length > 0);
  const list = lists?.find(({ id }) => id === place);
  const first = lists?.[0]?.id;
  const view = place === TODAY ? 'Today' : place === SEARCH ? 'Search' : undefined;

  useEffect(() => {
    const name = list?.name ?? view;
    document.title = name ? `${name} · Todos` : 'Todos · Dunlin';
  }, [list?.name, view]);
  useEffect(() => {
    // A phone shows the lists first.
    if (place === undefined && first !== undefined && matchMedia(WIDE).matches)
      go(first, { isReplaced: true });
  }, [place, first]);
  useKeys({ help: () => help.current!.showModal(), go, undo });

  return (
    <UndoContext value={undo}>
      <div className="app" data-open={place ?? ''}>
        <PendingNote store={store} />
        <div className="columns">
          <Lists
            store={store}
            lists={lists}
            isLoaded={isLoaded}
            me={user.userId}
            open={place}
            onOpen={go}
            onHelp={() => help.current!.showModal()}
          />
          <main className="panel">
            {view !== undefined && lists ? (
              view === 'Today' ? (
                <TodayView store={store} lists={lists} onOpen={go} />
              ) : (
                <SearchView store={store} lists={lists} onOpen={go} />
              )
            ) : list ? (
              <ListPanel
                key={list.id}
                store={store}
                list={list}
                me={user.userId}
                onClose={() => go(undefined)}
              />
            ) : !isLoaded ? (
              place !== undefined && <Loading store={store} load={load} />
            ) : (
              <Nothing isGone={place !== undefined} onBack={() => go(undefined)} />
            )}
          </main>
        </div>
        <Help ref={help} />
      </div>
    </UndoContext>
  );
}

interface Keys {
  readonly help: () => void;
  readonly go: (place: string) => void;
  readonly undo: Undo;
}

/** The keys of the whole page. Fields and dialogs keep their own keys. */
function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || event.altKey) return;
      if (target.closest('dialog, textarea, select, input:not([type=checkbox])')) return;
      const { help, go, undo } = latest.current;
      if (event.ctrlKey || event.metaKey) {
        if (event.key !== 'z' || event.shiftKey) return;
        void undo.undo();
      } else if (event.key === '/') go(SEARCH);
      else if (event.key === '?') help();
      else if (event.key === 'n') focusRow(null);
      else if (event.key === 't') go(TODAY);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
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
