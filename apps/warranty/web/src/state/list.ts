import { problemOf, type Environment, type Problem, type Store } from '@dunlin/client';
import { isSameList, type Case, type CaseApi, type CasePage, type Query } from '../api/cases';
import { partsOf } from '../api/fieldLocks';
import type { LockBook } from './locks';
import { CasePages, pageOf } from './pages';
import { firstQuery, type WarrantyState, type WarrantyStore } from './state';
import { SyncLoop } from './sync';

/** A load without an answer fails after this many milliseconds. */
const LOAD_TIMEOUT_MS = 15_000;
/** Limit of pages in one sync. A window shows two at most; more are asked for by no user. */
const MAX_WANTED = 4;

const TIMEOUT: Problem = { kind: 'network', code: 'timeout', title: 'The server did not answer in time.' };

/** Reason of an abort: the next load begins at once. */
const RETRIED = 'retried';

export interface CaseListOptions {
  readonly environment: Environment;
  readonly state: WarrantyStore;
  readonly api: CaseApi;
  readonly store: Store<Case>;
  readonly locks: LockBook;
  readonly onFailed: (problem: Problem) => void;
}

/** The list of cases: loads the pages that the window shows, and refreshes them with the full sync. */
export class CaseList {
  readonly sync: SyncLoop;
  readonly #options: CaseListOptions;
  readonly #pages = new CasePages();
  readonly #loading = new Set<number>();
  #wanted: readonly number[] = [1];
  #fetching: AbortController | undefined;
  #isDisposed = false;

  constructor(options: CaseListOptions) {
    this.#options = options;
    this.sync = new SyncLoop(options.environment, () => this.#fetch());
  }

  /** Forgets the list of the former branch, and begins with a view of this one. */
  open(branchId: number, query: Query): void {
    this.#begin(query);
    this.#set({ branchId, query, ids: [], total: 0, isLoaded: false, problem: undefined, staff: [] });
  }

  /** Displays another search, filter, order or page. */
  show(query: Query): void {
    const before = this.#state.query;
    if (isSameList(query, before)) {
      if (query.page !== before.page) this.#set({ query });
      return;
    }
    this.#begin(query);
    this.#set({ query, isLoading: true });
    void this.sync.now();
  }

  /** Loads the pages of the rows that the window shows. */
  view(first: number, last: number): void {
    if (this.#pages.total === 0) return;
    const wanted: number[] = [];
    for (let page = pageOf(first); page <= pageOf(last) && wanted.length < MAX_WANTED; page++)
      wanted.push(page);
    this.#wanted = wanted;
    for (const page of wanted) {
      if (!this.#pages.has(page) && !this.#loading.has(page)) void this.#load(page);
    }
  }

  /** Sends nothing from now on. */
  dispose(): void {
    this.#isDisposed = true;
    this.sync.stop();
  }

  /** Loads again now. A load that still waits for its answer is given up. */
  retry(): void {
    this.#fetching?.abort(RETRIED);
    void this.sync.now();
  }

  prepend(id: string): void {
    this.#pages.prepend(id);
    this.#wanted = [1];
    this.#set({ query: { ...firstQuery, sort: this.#state.query.sort } });
    this.#publish();
    this.sync.soon();
  }

  remove(id: string): void {
    this.#pages.remove(id);
    // An open edit does not keep it.
    this.#set({ ids: this.#state.ids.filter((each) => each !== id) });
    this.#publish();
    this.sync.soon();
  }

  get #state(): WarrantyState {
    return this.#options.state.getState();
  }

  #set(changes: Partial<WarrantyState>): void {
    this.#options.state.setState(changes);
  }

  #begin(query: Query): void {
    this.#pages.clear();
    this.#loading.clear();
    this.#wanted = [query.page];
  }

  // Runs a full sync. Changes that arrived during the request are fresher than its answer and stay.
  async #fetch(): Promise<void> {
    const { environment, api, store, locks, onFailed } = this.#options;
    const { branchId, query } = this.#state;
    const isCurrent = this.#currentCheck();
    const since = store.mark();
    const locksSince = locks.mark();
    const wanted = this.#wanted;
    this.#set({ isLoading: true });
    const timeout = (this.#fetching = new AbortController());
    const stopTimeout = environment.setTimer(LOAD_TIMEOUT_MS, () => timeout.abort());
    const { signal } = timeout;
    try {
      const [pages, branchLocks] = await Promise.all([
        Promise.all(wanted.map((page) => api.page(branchId, { ...query, page }, signal))),
        api.locks(branchId, signal),
      ]);
      if (this.#state.branchId !== branchId) return;
      for (const { items } of pages) store.merge(items, { since });
      locks.replace(branchLocks, locksSince);
      if (!isCurrent()) return;
      const total = pages[0]?.total ?? 0;
      const lastPage = pageOf(Math.max(0, total - 1));
      this.#pages.replace(new Map(pages.map((page, index) => [wanted[index]!, idsOf(page)])), total);
      this.#publish();
      this.#set({ isLoaded: true, problem: undefined });
      // The last case of the last page was removed.
      if (this.#state.query.page > lastPage) this.#set({ query: { ...this.#state.query, page: lastPage } });
      if (wanted.every((page) => page > lastPage)) {
        this.#wanted = [lastPage];
        void this.#load(lastPage);
      }
      // The window showed other rows meanwhile.
      for (const page of this.#wanted) if (!this.#pages.has(page)) void this.#load(page);
    } catch (error) {
      if (isCurrent() && signal.reason !== RETRIED) onFailed(signal.aborted ? TIMEOUT : problemOf(error));
    } finally {
      stopTimeout();
      if (isCurrent()) this.#set({ isLoading: false });
    }
  }

  async #load(page: number): Promise<void> {
    if (this.#loading.has(page)) return;
    const { api, store, onFailed } = this.#options;
    const { branchId, query } = this.#state;
    const isCurrent = this.#currentCheck();
    const since = store.mark();
    this.#loading.add(page);
    try {
      const loaded = await api.page(branchId, { ...query, page });
      if (!isCurrent()) return;
      store.merge(loaded.items, { since });
      const isOutdated = this.#pages.add(page, idsOf(loaded), loaded.total);
      this.#publish();
      if (isOutdated) this.sync.soon();
    } catch (error) {
      // The next sync repeats it.
      if (isCurrent()) onFailed(problemOf(error));
    } finally {
      if (isCurrent()) this.#loading.delete(page);
    }
  }

  #currentCheck(): () => boolean {
    const { branchId, query } = this.#state;
    return () =>
      !this.#isDisposed && this.#state.branchId === branchId && isSameList(this.#state.query, query);
  }

  #publish(): void {
    this.#set({ ids: keepEdited(this.#pages.ids(), this.#state), total: this.#pages.total });
  }
}

function idsOf({ items }: CasePage): string[] {
  return items.map(({ id }) => String(id));
}

// A case that is being edited stays in its place, even if it no longer belongs on this page.
function keepEdited(
  fetched: readonly (string | undefined)[],
  { ids, edits, records }: WarrantyState,
): readonly (string | undefined)[] {
  const edited = new Set([...edits.keys()].map((key) => partsOf(key).id));
  if (edited.size === 0) return fetched;
  const kept = [...fetched];
  ids.forEach((id, index) => {
    if (id === undefined || !edited.has(id) || !records.has(id) || kept.includes(id)) return;
    kept.splice(Math.min(index, kept.length), 0, id);
  });
  return kept;
}
