import type { TodosStore } from '../state/todosStore';
import { itemKey, taskKey, type ShoppingItem, type TodoList, type TodoTask } from '../state/mutators';
import { Editable } from './Editable';
import { saveAbandoned, usePending } from './hooks';
import { Icon } from './Icon';

export function EntryRow({
  store,
  list,
  entry,
}: {
  store: TodosStore;
  list: TodoList;
  entry: TodoTask | ShoppingItem;
}) {
  const pending = usePending(store);
  const { mutate } = store.rep;
  const key = { listId: list.id, id: entry.id };
  const isTask = 'done' in entry;
  const title = isTask ? (entry as TodoTask).title : entry.name;
  const isDone = isTask ? (entry as TodoTask).done : entry.bought;
  const rename = (text: string) =>
    isTask ? mutate.updateTask({ ...key, title: text }) : mutate.updateItem({ ...key, name: text });
  const isPending = pending.ids.has(entry.id);
  return (
    <li
      className="entry"
      data-task={entry.id}
      data-title={title}
      data-done={isDone}
      data-unsent={isPending || undefined}
    >
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
        className="entry-title"
        label="Text"
        value={title}
        maxLength={300}
        onSave={rename}
        onAbandoned={(text) =>
          saveAbandoned(store, (isTask ? taskKey : itemKey)(list.id, entry.id), text, rename)
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
