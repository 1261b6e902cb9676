import {
  DndContext,
  PointerSensor,
  useSensor,
  useSensors,
  type Announcements,
  type DragEndEvent,
} from '@dnd-kit/core';
import { SortableContext, useSortable, verticalListSortingStrategy } from '@dnd-kit/sortable';
import { useMemo, useState } from 'react';
import { EntryChanges, isDone, readEntries, sorted, titleOf, type Entry } from '../state/entries';
import type { TodoList } from '../state/mutators';
import { keyAt } from '../state/order';
import type { TodosStore } from '../state/todosStore';
import { focusRow, onEntryKey } from './entryKeys';
import { EntryRow } from './EntryRow';
import { newId, useQuery, useToday } from './hooks';
import { Icon } from './Icon';

interface Props {
  readonly store: TodosStore;
  readonly list: TodoList;
}

/** The entries of one list, and the field for a new one. */
export function Entries({ store, list }: Props) {
  const today = useToday();
  const [moved, setMoved] = useState('');
  const isShopping = list.kind === 'shopping';
  const prefix = `${isShopping ? 'item' : 'task'}/${list.id}/`;
  const changes = useMemo(() => new EntryChanges(store), [store]);
  const found = useQuery(store, (tx) => readEntries(tx, prefix), prefix);
  const entries = found && sorted(found);
  // Until the move is read back, so that a dropped entry does not jump.
  const [preview, setPreview] = useState<{ readonly of: unknown; readonly open: readonly Entry[] }>();
  const open =
    preview?.of === found && preview ? preview.open : (entries?.filter((entry) => !isDone(entry)) ?? []);
  const closed = entries?.filter(isDone) ?? [];

  const moveTo = (id: string, index: number) => {
    const entry = open.find((each) => each.id === id);
    const others = open.filter((each) => each.id !== id);
    if (!entry || index < 0 || index > others.length || open.indexOf(entry) === index) return;
    const order = keyAt(others, index);
    void changes.move(entry, order);
    setPreview({ of: found, open: others.toSpliced(index, 0, { ...entry, order }) });
    setMoved(`${titleOf(entry)} is at place ${index + 1} of ${open.length}.`);
  };
  const move = (id: string, step: 1 | -1) => {
    const from = open.findIndex((entry) => entry.id === id);
    if (from >= 0) moveTo(id, from + step);
  };
  const drop = ({ active, over }: DragEndEvent) => {
    if (over)
      moveTo(
        String(active.id),
        open.findIndex(({ id }) => id === over.id),
      );
  };
  const nameOf = (id: string | number) => {
    const entry = entries?.find((each) => each.id === id);
    return entry ? titleOf(entry) : 'The entry';
  };
  const announcements: Announcements = {
    onDragStart: ({ active }) => `${nameOf(active.id)} is dragged.`,
    onDragOver: ({ over }) => (over ? `It would take the place of ${nameOf(over.id)}.` : undefined),
    onDragEnd: ({ active }) => `${nameOf(active.id)} is dropped.`,
    onDragCancel: ({ active }) => `${nameOf(active.id)} stays in its place.`,
  };
  // A tap is no drag.
  const sensors = useSensors(useSensor(PointerSensor, { activationConstraint: { distance: 4 } }));

  return (
    <>
      <NewEntry store={store} list={list} />
      <DndContext sensors={sensors} onDragEnd={drop} accessibility={{ announcements }}>
        <SortableContext items={open.map(({ id }) => id)} strategy={verticalListSortingStrategy}>
          <ul
            className="entries"
            aria-label={list.name}
            data-entries={entries?.length ?? ''}
            onKeyDown={(event) => onEntryKey(event, { move })}
          >
            {[...open, ...closed].map((entry) => (
              <SortableRow key={entry.id} store={store} entry={entry} today={today} move={move} />
            ))}
          </ul>
        </SortableContext>
      </DndContext>
      <p className="visually-hidden" role="status">
        {moved}
      </p>
      {entries?.length === 0 && <p className="entries-none muted">Nothing here yet.</p>}
      {closed.length > 0 && (
        <p className="entries-count muted">
          {closed.length} of {entries!.length} {isShopping ? 'bought' : 'done'}
        </p>
      )}
    </>
  );
}

function NewEntry({ store, list }: Props) {
  const [text, setText] = useState('');
  const isShopping = list.kind === 'shopping';
  return (
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
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          focusRow(document.querySelector('.entries [data-task]'));
        }}
      />
    </form>
  );
}

interface RowProps {
  readonly store: TodosStore;
  readonly entry: Entry;
  readonly today: string;
  readonly move: (id: string, step: 1 | -1) => void;
}

/** A row with a handle. It is dragged, or clicked to show buttons that move the entry. */
function SortableRow({ store, entry, today, move }: RowProps) {
  const [isMoving, setMoving] = useState(false);
  const isFixed = isDone(entry);
  const { setNodeRef, setActivatorNodeRef, listeners, transform, transition, isDragging } = useSortable({
    id: entry.id,
    disabled: isFixed,
  });
  const style = {
    transform: transform ? `translate3d(0, ${Math.round(transform.y)}px, 0)` : undefined,
    transition,
  };
  const title = titleOf(entry);
  const handle = isFixed ? (
    <span className="entry-handle" />
  ) : (
    <button
      type="button"
      ref={setActivatorNodeRef}
      className="icon-button entry-handle"
      aria-label={`Move ${title}`}
      aria-expanded={isMoving}
      title="Drag, or press Ctrl with an arrow key"
      {...listeners}
      onClick={() => setMoving(!isMoving)}
    >
      <Icon name="grip" />
    </button>
  );
  return (
    <EntryRow
      store={store}
      entry={entry}
      today={today}
      handle={handle}
      place={{ ref: setNodeRef, style, isDragged: isDragging }}
    >
      {isMoving && !isFixed && (
        <span className="entry-moves">
          {([-1, 1] as const).map((step) => (
            <button
              key={step}
              type="button"
              className="button button-small"
              aria-label={`Move ${title} ${step < 0 ? 'up' : 'down'}`}
              onClick={() => move(entry.id, step)}
            >
              <Icon name={step < 0 ? 'up' : 'down'} /> {step < 0 ? 'Up' : 'Down'}
            </button>
          ))}
        </span>
      )}
    </EntryRow>
  );
}
