import { fold } from '@dunlin/kit';
import type { ReadTransaction } from 'replicache';
import { itemKey, taskKey, type ShoppingItem, type TodoList, type TodoTask } from './mutators';
import { compareOrder, orderOf } from './order';
import type { TodosStore } from './todosStore';

export type Entry = TodoTask | ShoppingItem;

/** Maximum of results of a search. */
export const MAX_RESULTS = 100;

export const isTask = (entry: Entry): entry is TodoTask => 'done' in entry;
export const titleOf = (entry: Entry): string => (isTask(entry) ? entry.title : entry.name);
export const isDone = (entry: Entry): boolean => (isTask(entry) ? entry.done : entry.bought);
export const keyOf = (entry: Entry): string => (isTask(entry) ? taskKey : itemKey)(entry.listId, entry.id);

/** Returns entries as a list shows them: the open ones in their order, then the others. */
export function sorted(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => Number(isDone(a)) - Number(isDone(b)) || compareOrder(a, b));
}

export async function readEntries(
  tx: ReadTransaction,
  ...prefixes: readonly string[]
): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const prefix of prefixes)
    found.push(...((await tx.scan({ prefix }).values().toArray()) as unknown as Entry[]));
  return found;
}

/** Returns the open tasks that are due on a date or before it: the oldest first, then in the order of the lists. */
export function dueBy(
  date: string,
  entries: readonly Entry[],
  lists: readonly TodoList[],
): readonly TodoTask[] {
  const places = placesOf(lists);
  return entries
    .filter(isTask)
    .filter(({ due, done, listId }) => due !== undefined && due <= date && !done && places.has(listId))
    .toSorted((a, b) => (a.due === b.due ? comparePlaces(places, a, b) : a.due! < b.due! ? -1 : 1));
}

/** Returns the entries whose title or note has every word of a text, the open ones first, in the order of the lists. */
export function search(
  text: string,
  entries: readonly Entry[],
  lists: readonly TodoList[],
): readonly Entry[] {
  const words = fold(text).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const places = placesOf(lists);
  const has = (entry: Entry) => {
    const searched = fold(isTask(entry) ? `${entry.title}\n${entry.note}` : entry.name);
    return words.every((word) => searched.includes(word));
  };
  return entries
    .filter((entry) => places.has(entry.listId) && has(entry))
    .toSorted((a, b) => Number(isDone(a)) - Number(isDone(b)) || comparePlaces(places, a, b))
    .slice(0, MAX_RESULTS);
}

const placesOf = (lists: readonly TodoList[]) => new Map(lists.map(({ id }, place) => [id, place]));

function comparePlaces(places: ReadonlyMap<string, number>, a: Entry, b: Entry): number {
  return places.get(a.listId)! - places.get(b.listId)! || compareOrder(a, b);
}

/** The changes of entries, the same for tasks and shopping items. */
export class EntryChanges {
  readonly #mutate: TodosStore['rep']['mutate'];

  constructor(store: TodosStore) {
    this.#mutate = store.rep.mutate;
  }

  rename(entry: Entry, title: string): Promise<void> {
    const { id, listId } = entry;
    return isTask(entry)
      ? this.#mutate.updateTask({ id, listId, title })
      : this.#mutate.updateItem({ id, listId, name: title });
  }

  setDone(entry: Entry, done: boolean): Promise<void> {
    const { id, listId } = entry;
    return isTask(entry)
      ? this.#mutate.updateTask({ id, listId, done })
      : this.#mutate.updateItem({ id, listId, bought: done });
  }

  move(entry: Entry, order: string): Promise<void> {
    const { id, listId } = entry;
    return isTask(entry)
      ? this.#mutate.updateTask({ id, listId, order })
      : this.#mutate.updateItem({ id, listId, order });
  }

  delete(entry: Entry): Promise<void> {
    const { id, listId } = entry;
    return isTask(entry) ? this.#mutate.deleteTask({ id, listId }) : this.#mutate.deleteItem({ id, listId });
  }

  /** Creates a deleted entry again, in its former place. */
  restore(entry: Entry): Promise<void> {
    const { id, listId } = entry;
    const order = orderOf(entry);
    if (!isTask(entry)) {
      const { name, quantity, bought } = entry;
      return this.#mutate.createItem({ id, listId, name, quantity, bought, order });
    }
    const { title, note, done, due } = entry;
    return this.#mutate.createTask({ id, listId, title, note, done, order, ...(due && { due }) });
  }
}
