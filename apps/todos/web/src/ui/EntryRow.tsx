import { useMemo, type ChangeEvent, type CSSProperties, type ReactNode, type Ref } from 'react';
import { EntryChanges, isDone, isTask, keyOf, titleOf, type Entry } from '../state/entries';
import type { ShoppingItem } from '../state/mutators';
import type { TodosStore } from '../state/todosStore';
import { DueDate } from './DueDate';
import { Editable } from './Editable';
import { focusRow, neighbourOf } from './entryKeys';
import { saveAbandoned, usePending, useUndo } from './hooks';
import { Icon } from './Icon';

interface Props {
  readonly store: TodosStore;
  readonly entry: Entry;
  readonly today: string;
  /** Before the checkbox. */
  readonly handle?: ReactNode;
  /** Below the title. */
  readonly children?: ReactNode;
  readonly place?: {
    readonly ref: Ref<HTMLLIElement>;
    readonly style: CSSProperties;
    readonly isDragged: boolean;
  };
}

export function EntryRow({ store, entry, today, handle, children, place }: Props) {
  const pending = usePending(store);
  const undo = useUndo();
  const changes = useMemo(() => new EntryChanges(store), [store]);
  const title = titleOf(entry);
  const done = isDone(entry);
  const isPending = pending.ids.has(entry.id);
  const rename = (text: string) => changes.rename(entry, text);
  const toggle = (event: ChangeEvent<HTMLInputElement>) => {
    void changes.setDone(entry, !done);
    if (done) return;
    undo.offer(`“${title}” is ${isTask(entry) ? 'done' : 'bought'}.`, () => changes.setDone(entry, false));
    // By keyboard: the row moves to the end, so the next open entry gets the focus.
    if ((event.nativeEvent as UIEvent).detail === 0) focusRow(neighbourOf(event.target));
  };
  return (
    <li
      ref={place?.ref}
      style={place?.style}
      className="entry"
      data-task={entry.id}
      data-title={title}
      data-done={done}
      data-unsent={isPending || undefined}
      data-dragged={place?.isDragged || undefined}
    >
      {handle}
      <input type="checkbox" checked={done} aria-label={title} onChange={toggle} />
      <div className="entry-text">
        <Editable
          className="entry-title"
          label="Text"
          value={title}
          maxLength={300}
          onSave={rename}
          onAbandoned={(text) => saveAbandoned(store, keyOf(entry), text, rename)}
          onDone={(field) => focusRow(field.closest('[data-task]'))}
        />
        {children}
      </div>
      {isPending && (
        <span className="entry-pending" title="Not sent yet">
          <Icon name="clock" />
          <span className="visually-hidden">Not sent yet</span>
        </span>
      )}
      {isTask(entry) ? (
        <DueDate
          title={title}
          due={entry.due}
          today={today}
          isDone={done}
          onChange={(due) => void store.rep.mutate.updateTask({ listId: entry.listId, id: entry.id, due })}
        />
      ) : (
        <Quantity
          item={entry}
          adjust={(by) => store.rep.mutate.adjustItem({ listId: entry.listId, id: entry.id, by })}
        />
      )}
      <button
        type="button"
        className="icon-button entry-delete"
        aria-label={`Delete ${title}`}
        onClick={(event) => {
          // By keyboard only: on a phone the focus could open the keyboard of the screen.
          if (event.detail === 0) focusRow(neighbourOf(event.currentTarget));
          void changes.delete(entry);
          undo.offer(`“${title}” is deleted.`, () => changes.restore(entry));
        }}
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
