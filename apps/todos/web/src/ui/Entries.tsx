import { useState } from 'react';
import type { TodosStore } from '../state/todosStore';
import type { ShoppingItem, TodoList, TodoTask } from '../state/mutators';
import { EntryRow } from './EntryRow';
import { newId, useQuery } from './hooks';
import { Icon } from './Icon';

export function Entries({ store, list }: { store: TodosStore; list: TodoList }) {
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
            <EntryRow key={entry.id} store={store} list={list} entry={entry} />
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
