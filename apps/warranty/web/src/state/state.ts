import type { ConnectionState, PresentMember, Problem } from '@dunlin/client';
import { createStore } from 'zustand/vanilla';
import type { Branch, Case, FieldLock, Query } from '../api/cases';
import type { FieldKey } from '../api/fieldLocks';
import { FIRST_COLUMNS, type Columns } from './columns';

/** A field that this tab edits now. */
export interface OpenEdit {
  /**
   * `taking`: the lock is requested. `held`: this tab holds it. `waiting`: the request or renewal failed; typed text is kept and saved once
   * the lock is held again.
   */
  readonly phase: 'taking' | 'held' | 'waiting';
  readonly draft: string;
}

/** An edit that the server refused. */
export interface FieldError {
  /** Why, for users. */
  readonly text: string;
  /** What the user typed. The next edit of the field begins with it. */
  readonly typed: string;
}

/** The state of the page. Only `BranchStore` and its parts change it. */
export interface WarrantyState {
  readonly userId: string;
  readonly branches: readonly Branch[];
  readonly branchId: number;
  readonly query: Query;
  /** One id for each row of the whole list, in the server's order; undefined for a row that is not loaded. */
  readonly ids: readonly (string | undefined)[];
  readonly total: number;
  readonly isLoaded: boolean;
  readonly isLoading: boolean;
  /** Why the list cannot be displayed. */
  readonly problem: Problem | undefined;
  readonly connection: ConnectionState;
  /** The records of the client's store: confirmed by the server, with unsaved edits on top. */
  readonly records: ReadonlyMap<string, Case>;
  /** Fields with edits that the server has not confirmed. */
  readonly pending: ReadonlySet<FieldKey>;
  readonly locks: ReadonlyMap<FieldKey, FieldLock>;
  /** Fields whose lock this tab holds, requests, or has just released. */
  readonly mine: ReadonlySet<FieldKey>;
  readonly edits: ReadonlyMap<FieldKey, OpenEdit>;
  readonly errors: ReadonlyMap<FieldKey, FieldError>;
  /** The users who look at this branch now. */
  readonly present: readonly PresentMember[];
  /** The names that the branch's cases have in the field `staff`. */
  readonly staff: readonly string[];
  /** The case that the record panel shows. */
  readonly openId: string | undefined;
  readonly columns: Columns;
}

export const firstQuery: Query = { search: '', sort: '-createdAt', page: 1, status: [], staff: [] };

export function createWarrantyState(userId: string, branchId: number) {
  return createStore<WarrantyState>(() => ({
    userId,
    branches: [],
    branchId,
    query: firstQuery,
    ids: [],
    total: 0,
    isLoaded: false,
    isLoading: false,
    problem: undefined,
    connection: { name: 'connecting', stream: 0, attempt: 0, refresh: false },
    records: new Map(),
    pending: new Set(),
    locks: new Map(),
    mine: new Set(),
    edits: new Map(),
    errors: new Map(),
    present: [],
    staff: [],
    openId: undefined,
    columns: FIRST_COLUMNS,
  }));
}

export type WarrantyStore = ReturnType<typeof createWarrantyState>;

/** Returns the other holder of a field's lock: another user, or this user in another tab. */
export function holderOf(state: WarrantyState, key: FieldKey): string | undefined {
  const lock = state.locks.get(key);
  if (!lock) return undefined;
  if (lock.userId !== state.userId) return lock.userName;
  return state.mine.has(key) ? undefined : 'you in another tab';
}
