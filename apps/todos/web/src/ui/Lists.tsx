import { useState, type AnchorHTMLAttributes } from 'react';
import type { TodosStore } from '../state/todosStore';
import { MAX_LISTS, type ListKind, type TodoList } from '../state/mutators';
import { newId, SEARCH, TODAY, useLoad, usePending, useToday } from './hooks';
import { Icon } from './Icon';
import { Invitations } from './Invitations';
import { Loading } from './Loading';
import { useDueTasks } from './TodayView';

interface Props {
  readonly store: TodosStore;
  readonly lists: readonly TodoList[] | undefined;
  readonly isLoaded: boolean;
  readonly me: string;
  readonly open: string | undefined;
  readonly onOpen: (place: string) => void;
  readonly onHelp: () => void;
}

export function Lists({ store, lists, isLoaded, me, open, onOpen, onHelp }: Props) {
  const pending = usePending(store);
  const load = useLoad(store);
  const due = useDueTasks(store, lists ?? [], useToday());
  return (
    <nav className="lists" aria-label="Lists">
      <Invitations store={store} listCount={lists?.length ?? 0} />
      <ul>
        <PlaceLink place={SEARCH} open={open} onOpen={onOpen}>
          <Icon name="search" />
          <span className="lists-name">Search</span>
        </PlaceLink>
        <PlaceLink place={TODAY} open={open} onOpen={onOpen}>
          <Icon name="calendar" />
          <span className="lists-name">Today</span>
          {!!due?.length && (
            <small data-due-count={due.length}>
              {due.length}
              <span className="visually-hidden"> due</span>
            </small>
          )}
        </PlaceLink>
      </ul>
      <h2 className="lists-heading">Lists</h2>
      <ul>
        {lists?.map((list) => (
          <PlaceLink
            key={list.id}
            place={list.id}
            open={open}
            onOpen={onOpen}
            data-list={list.id}
            data-unsent={pending.ids.has(list.id) || undefined}
          >
            <Icon name={list.kind === 'shopping' ? 'cart' : 'list'} />
            <span className="lists-name">{list.name}</span>
            {list.members.length > 1 && (
              <small title={list.members.map(({ name }) => name).join(', ')}>
                <Icon name="user" /> {list.members.length}
                <span className="visually-hidden">
                  {list.owner.id === me ? ', shared by you' : `, shared by ${list.owner.name}`}
                </span>
              </small>
            )}
          </PlaceLink>
        ))}
      </ul>
      {!isLoaded && <Loading store={store} load={load} />}
      {isLoaded && lists?.length === 0 && <p className="muted">No lists yet. Make the first one below.</p>}
      {(lists?.length ?? 0) < MAX_LISTS ? (
        <NewList store={store} onMade={onOpen} />
      ) : (
        <p className="muted">You have {MAX_LISTS} lists, which is the limit. Delete or leave one first.</p>
      )}
      <div className="lists-foot">
        <button type="button" className="link-button muted" onClick={onHelp}>
          <Icon name="info" /> Keyboard
        </button>
        <a className="muted" href="/todos/stream">
          <Icon name="history" /> Watch the stream
        </a>
      </div>
    </nav>
  );
}

interface PlaceLinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  readonly place: string;
  readonly open: string | undefined;
  readonly onOpen: (place: string) => void;
}

function PlaceLink({ place, open, onOpen, ...attributes }: PlaceLinkProps) {
  return (
    <li>
      <a
        {...attributes}
        href={`/todos/${encodeURIComponent(place)}`}
        aria-current={place === open ? 'page' : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          onOpen(place);
        }}
      />
    </li>
  );
}

function NewList({ store, onMade }: { store: TodosStore; onMade: (id: string) => void }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<ListKind>('tasks');
  return (
    <form
      className="new-list"
      onSubmit={(event) => {
        event.preventDefault();
        if (!name.trim()) return;
        const id = newId();
        void store.rep.mutate.createList({ id, name: name.trim(), kind }).then(() => onMade(id));
        setName('');
      }}
    >
      <input
        className="input"
        aria-label="Name of a new list"
        placeholder="New list"
        maxLength={80}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <div className="new-list-row">
        <select
          className="input"
          aria-label="Kind of list"
          value={kind}
          onChange={(event) => setKind(event.target.value as ListKind)}
        >
          <option value="tasks">Tasks</option>
          <option value="shopping">Shopping</option>
        </select>
        <button type="submit" className="button" disabled={!name.trim()}>
          <Icon name="plus" /> Add
        </button>
      </div>
    </form>
  );
}
