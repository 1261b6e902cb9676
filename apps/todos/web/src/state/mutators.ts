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
}

export interface ShoppingItem extends ReadonlyJSONObject {
  readonly id: string;
  readonly listId: string;
  readonly name: string;
  readonly quantity: number;
  readonly bought: boolean;
  readonly createdBy: Member;
  readonly createdAt: number;
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
  changed: (value: T) => Partial<T>,
): Promise<void> {
  const value = (await tx.get(key)) as T | undefined;
  if (value) await tx.set(key, { ...value, ...changed(value) });
}

/** The optimistic mutators. The server runs its own version of each, and its result replaces the optimistic one. */
export function createMutators(me: Member, now: () => number = Date.now) {
  return {
    createList: async (tx: WriteTransaction, args: { id: string; name: string; kind: ListKind }) => {
      const list: TodoList = { ...args, owner: me, members: [me], createdAt: now() };
      await tx.set(listKey(args.id), list);
    },
    renameList: (tx: WriteTransaction, { id, name }: { id: string; name: string }) =>
      change<TodoList>(tx, listKey(id), () => ({ name })),
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
        return isKnown ? {} : { invited: [...invitedTo(list), { username, createdAt: now() }] };
      }),
    withdrawInvitation: (tx: WriteTransaction, { id, username }: { id: string; username: string }) =>
      change<TodoList>(tx, listKey(id), (list) => ({
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
      change<TodoList>(tx, listKey(id), ({ members }) => ({
        members: members.filter((each) => each.id !== userId),
      })),
    createTask: async (tx: WriteTransaction, { listId, id, title }: Entry & { title: string }) => {
      const task: TodoTask = { id, listId, title, note: '', done: false, createdBy: me, createdAt: now() };
      await tx.set(taskKey(listId, id), task);
    },
    updateTask: (
      tx: WriteTransaction,
      { listId, id, ...changes }: Entry & { title?: string; note?: string; done?: boolean },
    ) => change<TodoTask>(tx, taskKey(listId, id), () => changes),
    deleteTask: async (tx: WriteTransaction, { listId, id }: Entry) => {
      await tx.del(taskKey(listId, id));
    },
    createItem: async (
      tx: WriteTransaction,
      { listId, id, name, quantity }: Entry & { name: string; quantity: number },
    ) => {
      const item: ShoppingItem = {
        id,
        listId,
        name,
        quantity,
        bought: false,
        createdBy: me,
        createdAt: now(),
      };
      await tx.set(itemKey(listId, id), item);
    },
    updateItem: (
      tx: WriteTransaction,
      { listId, id, ...changes }: Entry & { name?: string; bought?: boolean },
    ) => change<ShoppingItem>(tx, itemKey(listId, id), () => changes),
    adjustItem: (tx: WriteTransaction, { listId, id, by }: Entry & { by: number }) =>
      change<ShoppingItem>(tx, itemKey(listId, id), ({ quantity }) => ({
        quantity: Math.max(0, quantity + by),
      })),
    deleteItem: async (tx: WriteTransaction, { listId, id }: Entry) => {
      await tx.del(itemKey(listId, id));
    },
  };
}

export type Mutators = ReturnType<typeof createMutators>;
