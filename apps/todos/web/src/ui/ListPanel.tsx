import { avatar } from '@dunlin/kit';
import { useEffect, useRef, useState } from 'react';
import type { TodosStore } from '../state/todosStore';
import {
  invitedTo,
  MAX_MEMBERS,
  type Member,
  type ShoppingItem,
  type TodoList,
  type TodoTask,
} from '../state/mutators';
import { newId, usePending, useQuery } from './hooks';
import { Icon } from './Icon';

interface Props {
  readonly store: TodosStore;
  readonly list: TodoList;
  readonly me: string;
  readonly onClose: () => void;
}

export function ListPanel({ store, list, me, onClose }: Props) {
  const [isSharing, setSharing] = useState(false);
  const isOwner = list.owner.id === me;
  return (
    <>
      <div className="panel-head">
        <button
          type="button"
          className="icon-button panel-back"
          aria-label="Back to all lists"
          onClick={onClose}
        >
          <Icon name="left" />
        </button>
        <Editable
          key={list.name}
          className="panel-title"
          label="Name of the list"
          value={list.name}
          maxLength={80}
          isReadOnly={!isOwner}
          onChange={(name) => store.rep.mutate.renameList({ id: list.id, name })}
        />
        <Members members={list.members} />
        <button
          type="button"
          className="button button-small"
          aria-expanded={isSharing}
          onClick={() => setSharing(!isSharing)}
        >
          <Icon name="user" /> Share
        </button>
        {isOwner && (
          <button
            type="button"
            className="icon-button"
            title="Delete this list"
            aria-label="Delete this list"
            onClick={() => {
              if (!confirm(`Delete “${list.name}” for everybody?`)) return;
              void store.rep.mutate.deleteList({ id: list.id });
              onClose();
            }}
          >
            <Icon name="trash" />
          </button>
        )}
      </div>
      {isSharing && <Sharing store={store} list={list} me={me} onLeft={onClose} />}
      <Entries store={store} list={list} />
    </>
  );
}

function Members({ members }: { members: readonly Member[] }) {
  const place = useRef<HTMLSpanElement>(null);
  const names = members.map(({ name }) => name).join(', ');
  useEffect(
    () => place.current!.replaceChildren(...members.slice(0, 5).map(({ name }) => avatar(name))),
    [names],
  );
  return <span className="members" ref={place} title={names} />;
}

function Sharing({
  store,
  list,
  me,
  onLeft,
}: {
  store: TodosStore;
  list: TodoList;
  me: string;
  onLeft: () => void;
}) {
  const [username, setUsername] = useState('');
  const isOwner = list.owner.id === me;
  const invited = invitedTo(list);
  const isFull = list.members.length + invited.length >= MAX_MEMBERS;
  return (
    <section className="sharing" aria-label="Who sees this list">
      <ul>
        {list.members.map(({ id, name }) => (
          <li key={id} data-member={id}>
            <span>{name}</span>
            {id === list.owner.id ? (
              <small className="muted">owner</small>
            ) : (
              (isOwner || id === me) && (
                <button
                  type="button"
                  className="button button-small"
                  onClick={() => {
                    void store.rep.mutate.unshareList({ id: list.id, userId: id });
                    if (id === me) onLeft();
                  }}
                >
                  {id === me ? 'Leave' : 'Remove'}
                </button>
              )
            )}
          </li>
        ))}
        {invited.map(({ username: name }) => (
          <li key={`invited ${name}`} data-invited={name}>
            <span>{name}</span>
            <small className="muted">invited</small>
            {isOwner && (
              <button
                type="button"
                className="button button-small"
                aria-label={`Withdraw the invitation of ${name}`}
                onClick={() => void store.rep.mutate.withdrawInvitation({ id: list.id, username: name })}
              >
                Withdraw
              </button>
            )}
          </li>
        ))}
      </ul>
      {isOwner && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (username.trim() && !isFull)
              void store.rep.mutate.shareList({ id: list.id, username: username.trim() });
            setUsername('');
          }}
        >
          <input
            className="input"
            aria-label="User name to invite"
            placeholder="User name, such as bob"
            maxLength={64}
            aria-describedby="sharing-note"
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          <button type="submit" className="button" disabled={!username.trim() || isFull}>
            Invite
          </button>
        </form>
      )}
      {isOwner && (
        <p className="muted" id="sharing-note">
          {isFull
            ? `A list has ${MAX_MEMBERS} members at most, those who are invited included.`
            : 'Invited users see the list once they accept. An invitation looks the same here whether or not there is such a user.'}
        </p>
      )}
    </section>
  );
}

function Entries({ store, list }: { store: TodosStore; list: TodoList }) {
  const [text, setText] = useState('');
  const isShopping = list.kind === 'shopping';
  const prefix = `${isShopping ? 'item' : 'task'}/${list.id}/`;
  const entries = useQuery(
    store,
    async (tx) => (await tx.scan({ prefix }).values().toArray()) as unknown as (TodoTask | ShoppingItem)[],
    prefix,
  );
  const sorted = entries?.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const isDone = (entry: TodoTask | ShoppingItem) => ('done' in entry ? entry.done : entry.bought) === true;
  const done = sorted?.filter(isDone).length ?? 0;
  return (
    <>
      <form
        className="new-entry"
        onSubmit={(event) => {
          event.preventDefault();
          const typed = text.trim();
          if (!typed) return;
          const base = { listId: list.id, id: newId() };
          if (isShopping) void store.rep.mutate.createItem({ ...base, name: typed, quantity: 1 });
          else void store.rep.mutate.createTask({ ...base, title: typed });
          setText('');
        }}
      >
        <Icon name="plus" />
        <input
          aria-label={isShopping ? 'New item' : 'New task'}
          placeholder={isShopping ? 'What to buy?' : 'What is to be done?'}
          maxLength={300}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </form>
      <ul className="entries" data-entries={sorted?.length ?? ''}>
        {sorted
          ?.toSorted((a, b) => Number(isDone(a)) - Number(isDone(b)))
          .map((entry) => (
            <Row key={entry.id} store={store} list={list} entry={entry} />
          ))}
      </ul>
      {sorted?.length === 0 && <p className="entries-none muted">Nothing here yet.</p>}
      {done > 0 && (
        <p className="entries-count muted">
          {done} of {sorted!.length} {isShopping ? 'bought' : 'done'}
        </p>
      )}
    </>
  );
}

function Row({ store, list, entry }: { store: TodosStore; list: TodoList; entry: TodoTask | ShoppingItem }) {
  const pending = usePending(store);
  const { mutate } = store.rep;
  const key = { listId: list.id, id: entry.id };
  const isTask = 'done' in entry;
  const title = isTask ? (entry as TodoTask).title : entry.name;
  const isDone = isTask ? (entry as TodoTask).done : entry.bought;
  const isPending = pending.ids.has(entry.id);
  return (
    <li className="entry" data-task={entry.id} data-done={isDone} data-unsent={isPending || undefined}>
      <input
        type="checkbox"
        checked={isDone}
        aria-label={title}
        onChange={() =>
          void (isTask
            ? mutate.updateTask({ ...key, done: !isDone })
            : mutate.updateItem({ ...key, bought: !isDone }))
        }
      />
      <Editable
        key={title}
        className="entry-title"
        label="Text"
        value={title}
        maxLength={300}
        onChange={(text) =>
          isTask ? mutate.updateTask({ ...key, title: text }) : mutate.updateItem({ ...key, name: text })
        }
      />
      {isPending && (
        <span className="entry-pending" title="Not sent yet">
          <Icon name="clock" />
          <span className="visually-hidden">Not sent yet</span>
        </span>
      )}
      {!isTask && <Quantity item={entry} adjust={(by) => mutate.adjustItem({ ...key, by })} />}
      <button
        type="button"
        className="icon-button entry-delete"
        aria-label={`Delete ${title}`}
        onClick={() => void (isTask ? mutate.deleteTask(key) : mutate.deleteItem(key))}
      >
        <Icon name="trash" />
      </button>
    </li>
  );
}

function Quantity({ item, adjust }: { item: ShoppingItem; adjust: (by: number) => Promise<void> }) {
  return (
    <span className="quantity">
      <button
        type="button"
        className="icon-button"
        aria-label={`Less ${item.name}`}
        disabled={item.quantity === 0}
        onClick={() => void adjust(-1)}
      >
        −
      </button>
      <output data-quantity={item.quantity}>{item.quantity}</output>
      <button
        type="button"
        className="icon-button"
        aria-label={`More ${item.name}`}
        onClick={() => void adjust(1)}
      >
        +
      </button>
    </span>
  );
}

interface EditableProps {
  readonly className: string;
  readonly label: string;
  readonly value: string;
  readonly maxLength: number;
  readonly isReadOnly?: boolean;
  readonly onChange: (text: string) => Promise<void>;
}

/** Text that is edited in place. Enter and blur save it; Escape discards it. */
function Editable({ className, label, value, maxLength, isReadOnly, onChange }: EditableProps) {
  const [text, setText] = useState(value);
  const isCancelled = useRef(false);
  return (
    <input
      className={className}
      aria-label={label}
      value={text}
      maxLength={maxLength}
      readOnly={isReadOnly}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== 'Escape') return;
        isCancelled.current = event.key === 'Escape';
        event.currentTarget.blur();
      }}
      onBlur={() => {
        const typed = text.trim();
        if (isCancelled.current || !typed) setText(value);
        else if (typed !== value) void onChange(typed);
        isCancelled.current = false;
      }}
    />
  );
}
