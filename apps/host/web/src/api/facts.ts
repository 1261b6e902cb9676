import type { Requests } from '@dunlin/client';

/** What a tile says about the data of the signed-in user. */
export interface Fact {
  readonly text: string;
  /** Address of the user's own part of the system. Null: the user has none. Default: the address of the system. */
  readonly address?: string | null | undefined;
  /** A running timer counts down from this many milliseconds, as of the answer. */
  readonly leftMs?: number | undefined;
}

interface Branch {
  readonly id: number;
  readonly name: string;
}

interface Timer {
  readonly status: 'running' | 'paused' | 'break';
  readonly taskTitle: string;
  readonly plannedEndTime: string | null;
  readonly remainingMs: number;
}

interface PullAnswer {
  readonly cookie: unknown;
  readonly patch: readonly (
    | { readonly op: 'clear' }
    | { readonly op: 'del'; readonly key: string }
    | { readonly op: 'put'; readonly key: string; readonly value: { done?: boolean; bought?: boolean } }
  )[];
}

const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Reads the facts with requests that the systems answer anyway. */
export class FactApi {
  readonly #requests: Requests;
  /** Ids of open entries by key, from the changes since `#cookie`. */
  readonly #todos = new Map<string, boolean>();
  readonly #group: string;
  #cookie: unknown = null;

  constructor(requests: Requests, group: string) {
    this.#requests = requests;
    this.#group = group;
  }

  async documents(): Promise<Fact> {
    const { locks } = await this.#get<{ locks: readonly unknown[] }>('/api/v1/files/locks');
    return {
      text:
        locks.length === 0
          ? 'Nobody edits a document now'
          : `${counted(locks.length, 'document')} in work now`,
    };
  }

  /** A pull without mutations: the server stores nothing for it, and answers with the changes since the last one. */
  async todos(): Promise<Fact> {
    const body = {
      pullVersion: 1,
      clientGroupID: this.#group,
      profileID: 'landing',
      schemaVersion: '1',
      cookie: this.#cookie,
    };
    const { body: answer } = await this.#requests.send<PullAnswer>('POST', '/api/v1/replicache/pull', {
      body,
    });
    this.#cookie = answer.cookie;
    for (const change of answer.patch) {
      if (change.op === 'clear') this.#todos.clear();
      else if (change.op === 'del') this.#todos.delete(change.key);
      else this.#todos.set(change.key, change.value.done !== true && change.value.bought !== true);
    }
    const open = (...kinds: string[]) =>
      [...this.#todos].filter(([key, isOpen]) => isOpen && kinds.includes(key.split('/')[0]!)).length;
    const invitations = open('invitation');
    const entries = counted(open('task', 'item'), 'open entry', 'open entries');
    return { text: invitations === 0 ? entries : `${entries}, ${counted(invitations, 'invitation')}` };
  }

  branches(): Promise<readonly Branch[]> {
    return this.#get('/api/warranty/branches');
  }

  async warranty(branch: Branch): Promise<Fact> {
    const path = `/api/warranty/branches/${branch.id}/cases?limit=1`;
    const { total } = await this.#get<{ total: number }>(path);
    return { text: `${branch.name}: ${counted(total, 'case')}`, address: `/branch/${branch.id}` };
  }

  async focus(): Promise<Fact> {
    const { timer } = await this.#get<{ timer: Timer | null }>('/api/timer');
    if (!timer) {
      const { items } = await this.#get<{ items: readonly { isDone: boolean }[] }>('/api/tasks');
      const open = items.filter(({ isDone }) => !isDone).length;
      return { text: `No timer runs, ${counted(open, 'open task')}` };
    }
    const { status, taskTitle, remainingMs } = timer;
    if (status === 'paused') return { text: `${taskTitle}: paused` };
    return { text: status === 'break' ? 'Break' : taskTitle, leftMs: remainingMs };
  }

  async wishlists(): Promise<Fact> {
    const [own, shared] = await Promise.all([
      this.#get<readonly unknown[]>('/api/v1/wishlists'),
      this.#get<readonly unknown[]>('/api/v1/wishlists/shared'),
    ]);
    return { text: `${counted(own.length, 'list')} of yours, ${shared.length} shared with you` };
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.#requests.send<T>('GET', path)).body;
  }
}
