import {
  Client,
  problemOf,
  type Cancel,
  type Connection,
  type ConnectionState,
  type Environment,
  type Leases,
  type Problem,
  type Store,
} from '@dunlin/client';
import {
  CaseApi,
  streamPath,
  type Case,
  type CaseUpdates,
  type Query,
  type WarrantyEvents,
} from '../api/cases';
import { fieldKey, fieldLocks, partsOf, type FieldKey } from '../api/fieldLocks';
import { labelOf } from '../api/fields';
import { FieldEdits } from './edits';
import { LockBook } from './locks';
import { firstQuery, type WarrantyState, type WarrantyStore } from './state';
import { SyncLoop } from './sync';
import { UnsavedEdits, type UnsavedStorage } from './unsaved';
import { refusalWords } from './words';

export interface Notice {
  readonly text: string;
  readonly kind: 'info' | 'error';
  /** User input that could not be saved, for copying. */
  readonly copy?: string | undefined;
}

export interface BranchStoreOptions {
  readonly environment: Environment;
  readonly state: WarrantyStore;
  readonly refresh: () => Promise<boolean>;
  readonly notify: (notice: Notice) => void;
  /** The session ended. The owner closes the page, or calls `signedIn` after a sign-in. */
  readonly onSignedOut: () => void;
  readonly unsavedStorage?: UnsavedStorage | undefined;
}

/** A load without an answer fails after this many milliseconds. */
const LOAD_TIMEOUT_MS = 15_000;

const TIMEOUT: Problem = { kind: 'network', code: 'timeout', title: 'The server did not answer in time.' };

/** The logic of the page. It connects the parts of the client with the Zustand state. */
export class BranchStore {
  readonly api: CaseApi;
  readonly edits: FieldEdits;
  readonly #options: BranchStoreOptions;
  readonly #client: Client;
  readonly #store: Store<Case>;
  readonly #leases: Leases;
  readonly #locks: LockBook;
  readonly #sync: SyncLoop;
  readonly #unsaved: UnsavedEdits | undefined;
  #connection: Connection<WarrantyEvents> | undefined;
  readonly #stopLeaving: Cancel;
  #isDisposed = false;

  constructor(options: BranchStoreOptions) {
    this.#options = options;
    const { environment, state, refresh, unsavedStorage } = options;
    const { userId } = state.getState();
    this.#client = new Client({ environment, user: userId, refresh });
    this.api = new CaseApi(this.#client.requests);
    this.#leases = this.#client.leases(fieldLocks(this.#client.requests));
    this.#unsaved =
      unsavedStorage && new UnsavedEdits(unsavedStorage, environment.locks, userId, environment.randomId());
    this.#locks = new LockBook(() => state.setState({ locks: this.#locks.locks }));
    this.edits = new FieldEdits({
      userId,
      api: this.api,
      store: () => this.#store,
      leases: this.#leases,
      onRefused: (key, problem, typed) => this.#tellRefused(key, problem, typed),
      onChange: () => state.setState({ edits: this.edits.open, mine: this.edits.mine }),
    });
    this.#store = this.#client.store<Case>({
      save: (id, changes, context) => this.edits.save(id, changes, context),
      persistence: { load: () => undefined, store: (unsaved) => this.#keepUnsaved(unsaved) },
    });
    this.#store.subscribe(() => state.setState({ records: this.#store.get().records }));
    this.#store.onRefused(({ id, changes, problem }) => this.edits.refused(id, changes, problem));
    this.#sync = new SyncLoop(environment, () => this.#fetch());
    this.#stopLeaving = environment.onSignal('pagehide', () => this.edits.leave());
  }

  /** Adopts unsaved edits of closed tabs, and displays a branch. */
  start(branchId: number, query: Query): void {
    const { environment } = this.#options;
    this.#unsaved?.adopt(environment.locks, ({ edits, bases }) => {
      for (const [id, updates] of Object.entries(edits)) this.edits.adopt(id, updates, bases);
    });
    this.open(branchId, query);
  }

  /** Displays a branch. */
  open(branchId: number, query: Query): void {
    for (const key of this.edits.open.keys()) this.edits.commit(key);
    this.#connection?.dispose();
    const { state } = this.#options;
    state.setState({ branchId, query, ids: [], total: 0, isLoaded: false, problem: undefined });
    this.#locks.replace([]);
    this.#sync.stop();
    this.#connect(branchId);
    void this.#sync.now();
    this.#sync.start();
    if (state.getState().branches.length === 0) void this.#loadBranches();
  }

  /** Displays another search, order or page. */
  show(query: Query): void {
    const { state } = this.#options;
    if (JSON.stringify(query) === JSON.stringify(this.#state.query)) return;
    state.setState({ query, isLoading: true });
    void this.#sync.now();
  }

  retry(): void {
    this.#options.state.setState({ problem: undefined });
    void this.#loadBranches();
    this.#connection?.connect();
    void this.#sync.now();
  }

  async create(values: CaseUpdates): Promise<Case> {
    const { branchId } = this.#state;
    const created = await this.api.create(branchId, values);
    this.#store.put(created);
    this.#options.state.setState(({ query, ids, total }) => ({
      query: { ...firstQuery, sort: query.sort },
      ids: [String(created.id), ...ids.filter((id) => id !== String(created.id))],
      total: total + 1,
    }));
    this.#sync.soon();
    return created;
  }

  async remove(id: number): Promise<void> {
    await this.api.remove(id);
    this.#gone(id);
    this.#store.remove(String(id));
  }

  async transfer(id: number, toBranchId: number): Promise<void> {
    await this.api.transfer(id, toBranchId);
    this.#gone(id);
  }

  /** Reports that a field is locked. */
  tellLocked(key: FieldKey, holder: string): void {
    const { id, field } = partsOf(key);
    const serviceNo = this.#store.record(id)?.serviceNo ?? 'this case';
    this.#options.notify({ text: `${labelOf(field)} of ${serviceNo} is locked by ${holder}.`, kind: 'info' });
  }

  /** Continues after the same user signed in again. */
  signedIn(): void {
    this.#connection?.connect();
    this.#store.resume();
    this.edits.relock();
    void this.#loadBranches();
    void this.#sync.now();
  }

  /** Saves pending edits, as far as possible now. */
  async flush(): Promise<void> {
    for (const key of this.edits.open.keys()) this.edits.commit(key);
    await Promise.race([
      this.#store.flush(),
      new Promise<void>((resolve) => this.#options.environment.setTimer(3000, resolve)),
    ]);
  }

  /** Stops sending. Typed text, including unfinished values, is stored before this returns. */
  dispose(): void {
    this.#stopLeaving();
    this.#sync.stop();
    this.#store.dispose();
    for (const key of this.edits.open.keys()) this.edits.commit(key);
    this.#isDisposed = true;
    this.#unsaved?.dispose();
    this.#client.dispose();
  }

  get #state(): WarrantyState {
    return this.#options.state.getState();
  }

  #connect(branchId: number): void {
    const { state } = this.#options;
    const connection = this.#client.connection<WarrantyEvents>({
      path: streamPath(branchId),
      format: 'typed',
      heartbeatSeconds: 30,
    });
    this.#connection = connection;
    connection.on('locks', (locks) => {
      this.#locks.replace(locks);
      this.edits.announcedAll();
    });
    connection.on('lock-acquired', (lock) => {
      this.#locks.acquired(lock);
      if (lock.userId !== this.#state.userId) this.edits.announcedTaken(fieldKey(lock.caseId, lock.field));
    });
    connection.on('lock-released', ({ caseId, field }) => {
      this.#locks.released(fieldKey(caseId, field));
      this.edits.announcedReleased(fieldKey(caseId, field));
    });
    connection.on('case-created', ({ case: created }) => this.#arrived(created));
    connection.on('case-transferred-in', ({ case: arrived }) => this.#arrived(arrived));
    connection.on('case-updated', ({ caseId, updates, version }) => {
      this.#store.update(String(caseId), updates, version);
    });
    connection.on('case-deleted', ({ caseId }) => {
      this.#gone(caseId);
      this.#store.remove(String(caseId));
    });
    connection.on('case-transferred-out', ({ caseId, toBranchId }) => {
      this.#gone(caseId);
      this.#store.update(String(caseId), { branchId: toBranchId });
    });
    connection.on('sync-required', () => void this.#sync.now());
    connection.onReset(() => void this.#sync.now());
    connection.onState((next, previous) => {
      if (this.#connection !== connection) return;
      state.setState({ connection: next });
      this.#connectionChanged(next, previous);
    });
    state.setState({ connection: connection.state });
    connection.connect();
  }

  #connectionChanged(next: ConnectionState, previous: ConnectionState): void {
    if (next.name === 'signedOut') this.#options.onSignedOut();
    if (next.name === 'closed' && next.problem) this.#failed(next.problem);
    if (next.name !== 'live' || previous.name === 'live') return;
    this.edits.relock();
    void this.#sync.now();
  }

  // Runs a full sync. Changes that arrived during the request are fresher than its answer and stay.
  async #fetch(): Promise<void> {
    const { branchId, query } = this.#state;
    const isCurrent = () => this.#state.branchId === branchId && this.#state.query === query;
    const since = this.#store.mark();
    const locksSince = this.#locks.mark();
    const { environment } = this.#options;
    this.#options.state.setState({ isLoading: true });
    const timeout = new AbortController();
    const stopTimeout = environment.setTimer(LOAD_TIMEOUT_MS, () => timeout.abort());
    try {
      const [page, locks] = await Promise.all([
        this.api.page(branchId, query, timeout.signal),
        this.api.locks(branchId, timeout.signal),
      ]);
      if (this.#state.branchId !== branchId) return;
      this.#store.merge(page.items, { since });
      this.#locks.replace(locks, locksSince);
      if (!isCurrent()) return;
      const ids = page.items.map((item) => String(item.id));
      this.#options.state.setState({
        ids: keepEdited(ids, this.#state),
        total: page.total,
        isLoaded: true,
        problem: undefined,
      });
      // The last case of the last page was removed.
      const lastPage = Math.max(1, Math.ceil(page.total / page.limit));
      if (query.page > lastPage) this.show({ ...query, page: lastPage });
    } catch (error) {
      if (isCurrent()) this.#failed(timeout.signal.aborted ? TIMEOUT : problemOf(error));
    } finally {
      stopTimeout();
      if (isCurrent()) this.#options.state.setState({ isLoading: false });
    }
  }

  async #loadBranches(): Promise<void> {
    try {
      this.#options.state.setState({ branches: await this.api.branches() });
    } catch {
      // The next load of the list reports the error.
    }
  }

  // Keep a loaded list instead of replacing it by an error. The connection state reports the problem.
  #failed(problem: Problem): void {
    if (problem.kind === 'signedOut') return this.#options.onSignedOut();
    const isRefused =
      problem.kind === 'notFound' || problem.kind === 'forbidden' || problem.kind === 'invalid';
    if (isRefused || !this.#state.isLoaded) this.#options.state.setState({ problem });
  }

  #arrived(record: Case): void {
    this.#store.put(record);
    this.#sync.soon();
  }

  #gone(id: number): void {
    this.#options.state.setState(({ ids }) => ({ ids: ids.filter((each) => each !== String(id)) }));
    this.#sync.soon();
  }

  #keepUnsaved(unsaved: Unsaved): void {
    // After disposal the user's next page adopts the stored edits.
    if (this.#isDisposed) return;
    const pending = new Set<FieldKey>();
    for (const [id, updates] of Object.entries(unsaved)) {
      for (const field of Object.keys(updates)) pending.add(fieldKey(id, field as keyof CaseUpdates));
    }
    this.#options.state.setState({ pending });
    this.#unsaved?.store({ edits: unsaved, bases: Object.fromEntries(this.edits.bases) });
  }

  #tellRefused(key: FieldKey, problem: Problem, typed: string | undefined): void {
    const { id, field } = partsOf(key);
    const serviceNo = this.#store.record(id)?.serviceNo;
    const isOnlyLocked = problem.kind === 'held' && typed === undefined;
    const text = refusalWords(field, serviceNo, problem, this.#state.userId);
    this.#options.notify({
      text: isOnlyLocked ? text.replace(' Your change was not saved.', '') : text,
      kind: isOnlyLocked ? 'info' : 'error',
      copy: typed,
    });
  }
}

type Unsaved = Readonly<Record<string, CaseUpdates>>;

// A case that is being edited stays in its place, even if it no longer belongs on this page.
function keepEdited(fetched: readonly string[], { ids, edits, records }: WarrantyState): readonly string[] {
  const edited = new Set([...edits.keys()].map((key) => partsOf(key).id));
  const kept = [...fetched];
  ids.forEach((id, index) => {
    if (edited.has(id) && records.has(id) && !kept.includes(id)) kept.splice(index, 0, id);
  });
  return kept;
}
