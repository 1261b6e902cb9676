import { dueBy, readEntries } from '../state/entries';
import type { TodoList, TodoTask } from '../state/mutators';
import type { TodosStore } from '../state/todosStore';
import { onEntryKey } from './entryKeys';
import { EntryRow } from './EntryRow';
import { useQuery, useToday } from './hooks';
import { Icon } from './Icon';
import { ListLink } from './ListLink';
import { ViewHead } from './ViewHead';

interface Props {
  readonly store: TodosStore;
  readonly lists: readonly TodoList[];
  readonly onOpen: (place: string | undefined) => void;
}

/** Returns the open tasks of all lists that are due today or were due before. */
export function useDueTasks(
  store: TodosStore,
  lists: readonly TodoList[],
  today: string,
): readonly TodoTask[] | undefined {
  const entries = useQuery(store, (tx) => readEntries(tx, 'task/'), 'tasks');
  return entries && dueBy(today, entries, lists);
}

/** The tasks of all lists for today. */
export function TodayView({ store, lists, onOpen }: Props) {
  const today = useToday();
  const due = useDueTasks(store, lists, today);
  const groups = [
    { name: 'Overdue', tasks: due?.filter((task) => task.due! < today) ?? [] },
    { name: 'Today', tasks: due?.filter((task) => task.due === today) ?? [] },
  ];
  return (
    <>
      <ViewHead title="Today" onBack={() => onOpen(undefined)} />
      {groups
        .filter(({ tasks }) => tasks.length > 0)
        .map(({ name, tasks }) => (
          <section key={name} className="group" aria-label={name} data-group={name}>
            <h3>
              {name} <small className="muted">{tasks.length}</small>
            </h3>
            <ul className="entries" onKeyDown={(event) => onEntryKey(event, {})}>
              {tasks.map((task) => (
                <EntryRow key={task.id} store={store} entry={task} today={today}>
                  <ListLink list={lists.find(({ id }) => id === task.listId)!} onOpen={onOpen} />
                </EntryRow>
              ))}
            </ul>
          </section>
        ))}
      {due?.length === 0 && (
        <div className="nothing">
          <Icon name="check" />
          <h2>Nothing is due today</h2>
          <p className="muted">
            Give a task a date with the calendar beside it. It is shown here on that day.
          </p>
        </div>
      )}
    </>
  );
}
