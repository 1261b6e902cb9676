import type { ReadonlyJSONObject, WriteTransaction } from 'replicache';

export interface Member extends ReadonlyJSONObject {
  readonly id: string;
  readonly name: string;
}

export type ListKind = 'tasks' | 'shopping';

export interface TodoList extends ReadonlyJSONObject {
  readonly id: string;
  readonly name: string;
  readonly kind: ListKind;
  readonly owner: Member;
  readonly members: readonly Member[];
  readonly createdAt: number;
  /** Undefined in lists of versions without invitations. */
  readonly invited?: readonly Invited[];
}

/** A pending invitation: the user name as typed, whether or not such a user exists. */
export interface Invited extends ReadonlyJSONObject {
  readonly username: string;
  readonly createdAt: number;
}

/** An invitation to another user's list. */
export interface Invitation extends ReadonlyJSONObject {
  /** The list's id. */
  readonly id: string;
  readonly name: string;
  readonly kind: ListKind;
  readonly from: Member;
  readonly createdAt: number;
}

/** The server's limits (`TodoLimits`), to show them before a refusal. */
export const MAX_LISTS = 100;
export const MAX_MEMBERS = 50;

export interface TodoTask extends ReadonlyJSONObject {
  readonly id: string;
  readonly listId: string;
  readonly title: string;
  readonly note: string;
  readonly done: boolean;
  readonly createdBy: Member;
  readonly createdAt: number;
  /** As `yyyy-MM-dd`, in no time zone. */
  readonly due?: string;
  /** See `orderOf`. */
  readonly order?: string;
}

export interface ShoppingItem extends ReadonlyJSONObject {
  readonly id: string;
  readonly listId: string;
  readonly name: string;
  readonly quantity: number;
  readonly bought: boolean;
  readonly createdBy: Member;
  readonly createdAt: number;
  /** See `orderOf`. */
  readonly order?: string;
}

export const invitedTo = ({ invited }: TodoList): readonly Invited[] => invited ?? [];

export const listKey = (id: string) => `list/${id}`;
export const invitationKey = (listId: string) => `invitation/${listId}`;
export const taskKey = (listId: string, id: string) => `task/${listId}/${id}`;
export const itemKey = (listId: string, id: string) => `item/${listId}/${id}`;

interface Entry {
  readonly listId: string;
  readonly id: string;
}

async function change<T extends ReadonlyJSONObject>(
  tx: WriteTransaction,
  key: string,
  changed: (value: T) => T,
): Promise<void> {
  const value = (await tx.get(key)) as T | undefined;
  if (value) await tx.set(key, changed(value));
}

/** The optimistic mutators. The server runs its own version of each, and its result replaces the optimistic one. */
export function createMutators(me: Member, now: () => number = Date.now) {
  return {
    createList: async (tx: WriteTransaction, args: { id: string; name: string; kind: ListKind }) => {
      const list: TodoList = { ...args, owner: me, members: [me], createdAt: now() };
      await tx.set(listKey(args.id), list);
    },
    renameList: (tx: WriteTransaction, { id, name }: { id: string; name: string }) =>
      change<TodoList>(tx, listKey(id), (list) => ({ ...list, name })),
    deleteList: async (tx: WriteTransaction, { id }: { id: string }) => {
      for (const prefix of [`task/${id}/`, `item/${id}/`]) {
        for (const key of await tx.scan({ prefix }).keys().toArray()) await tx.del(key);
      }
      await tx.del(listKey(id));
    },
    shareList: (tx: WriteTransaction, { id, username }: { id: string; username: string }) =>
      change<TodoList>(tx, listKey(id), (list) => {
        const isKnown =
          list.members.some((each) => each.id === username) ||
          invitedTo(list).some((each) => each.username === username);
        return isKnown ? list : { ...list, invited: [...invitedTo(list), { username, createdAt: now() }] };
      }),
    withdrawInvitation: (tx: WriteTransaction, { id, username }: { id: string; username: string }) =>
      change<TodoList>(tx, listKey(id), (list) => ({
        ...list,
        invited: invitedTo(list).filter((each) => each.username !== username),
      })),
    // The next pull brings the list itself.
    acceptInvitation: async (tx: WriteTransaction, { id }: { id: string }) => {
      await tx.del(invitationKey(id));
    },
    declineInvitation: async (tx: WriteTransaction, { id }: { id: string }) => {
      await tx.del(invitationKey(id));
    },
    unshareList: (tx: WriteTransaction, { id, userId }: { id: string; userId: string }) =>
      change<TodoList>(tx, listKey(id), (list) => ({
        ...list,
        members: list.members.filter((each) => each.id !== userId),
      })),
    createTask: async (
      tx: WriteTransaction,
      args: Entry & { title: string; note?: string; done?: boolean; due?: string; order?: string },
    ) => {
      const task: TodoTask = { note: '', done: false, createdBy: me, createdAt: now(), ...args };
      await tx.set(taskKey(args.listId, args.id), task);
    },
    // An empty `due` removes the date.
    updateTask: (
      tx: WriteTransaction,
      {
        listId,
        id,
        due,
        ...changes
      }: Entry & { title?: string; note?: string; done?: boolean; due?: string; order?: string },
    ) =>
      change<TodoTask>(tx, taskKey(listId, id), (task) => {
        const { due: _, ...others } = { ...task, ...changes };
        const date = due ?? task.due;
        return date ? { ...others, due: date } : others;
      }),
    deleteTask: async (tx: WriteTransaction, { listId, id }: Entry) => {
      await tx.del(taskKey(listId, id));
    },
    createItem: async (
      tx: WriteTransaction,
      args: Entry & { name: string; quantity: number; bought?: boolean; order?: string },
    ) => {
      const item: ShoppingItem = { bought: false, createdBy: me, createdAt: now(), ...args };
      await tx.set(itemKey(args.listId, args.id), item);
    },
    updateItem: (
      tx: WriteTransaction,
      { listId, id, ...changes }: Entry & { name?: string; bought?: boolean; order?: string },
    ) => change<ShoppingItem>(tx, itemKey(listId, id), (item) => ({ ...item, ...changes })),
    adjustItem: (tx: WriteTransaction, { listId, id, by }: Entry & { by: number }) =>
      change<ShoppingItem>(tx, itemKey(listId, id), (item) => ({
        ...item,
        quantity: Math.max(0, item.quantity + by),
      })),
    deleteItem: async (tx: WriteTransaction, { listId, id }: Entry) => {
      await tx.del(itemKey(listId, id));
    },
  };
}

export type Mutators = ReturnType<typeof createMutators>;
