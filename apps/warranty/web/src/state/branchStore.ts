import {
  Client,
  DunlinError,
  problemOf,
  type Cancel,
  type Connection,
  type ConnectionState,
  type Environment,
  type Leases,
  type Presence,
  type Problem,
  type Store,
} from '@dunlin/client';
import {
  CaseApi,
  branchTopic,
  streamPath,
  type Case,
  type CaseUpdates,
  type Query,
  type WarrantyEvents,
} from '../api/cases';
import { fieldKey, fieldLocks, partsOf, type FieldKey } from '../api/fieldLocks';
import { labelOf } from '../api/fields';
import { FieldEdits } from './edits';
import { CaseList } from './list';
import { LockBook } from './locks';
import type { FieldError, WarrantyState, WarrantyStore } from './state';
import { UnsavedEdits, type UnsavedStorage } from './unsaved';
import { problemWords, refusalWords } from './words';

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

const ELSEWHERE: Problem = {
  kind: 'notFound',
  code: 'transferred',
  title: 'it is in another branch.',
};

/** The logic of the page. It connects the parts of the client with the Zustand state. */
export class BranchStore {
  readonly api: CaseApi;
  readonly edits: FieldEdits;
  readonly #options: BranchStoreOptions;
  readonly #client: Client;
  readonly #store: Store<Case>;
  readonly #leases: Leases;
  readonly #locks: LockBook;
  readonly #list: CaseList;
  readonly #unsaved: UnsavedEdits | undefined;
  #connection: Connection<WarrantyEvents> | undefined;
  #presence: Presence | undefined;
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
    this.#list = new CaseList({
      environment,
      state,
      api: this.api,
      store: this.#store,
      locks: this.#locks,
      onFailed: (problem) => this.#failed(problem),
    });
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
    this.#presence?.dispose();
    this.#connection?.dispose();
    this.#list.open(branchId, query);
    this.#options.state.setState({ present: [], errors: new Map(), openId: undefined });
    this.#locks.replace([]);
    this.#list.sync.stop();
    this.#connect(branchId);
    void this.#list.sync.now();
    this.#list.sync.start();
    if (this.#state.branches.length === 0) void this.#loadBranches();
    void this.loadStaff();
  }

  /** Displays another search, filter, order or page. */
  show(query: Query): void {
    this.#list.show(query);
  }

  /** Loads the rows that the window shows. */
  view(first: number, last: number): void {
    this.#list.view(first, last);
  }

  /** Shows a case in the record panel; undefined closes the panel. */
  openCase(id: string | undefined): void {
    if (id === this.#state.openId) return;
    this.#options.state.setState({ openId: id });
    if (id !== undefined && !this.#store.record(id)) void this.#find(id);
  }

  /** Drops the text of a refused edit. */
  dismissError(key: FieldKey): void {
    if (this.#state.errors.has(key)) this.#setError(key, undefined);
  }

  /** Begins an edit. It continues from the text of a refused edit, or from `typed`, which replaces the value. */
  beginEdit(key: FieldKey, typed?: string): void {
    const kept = this.#state.errors.get(key)?.typed;
    this.dismissError(key);
    this.edits.begin(key);
    if (typed !== undefined) this.edits.type(key, typed);
    else if (kept !== undefined) this.edits.restore(key, kept);
  }

  retry(): void {
    this.#options.state.setState({ problem: undefined });
    void this.#loadBranches();
    this.#connection?.connect();
    this.#list.retry();
  }

  async create(values: CaseUpdates): Promise<Case> {
    const { branchId } = this.#state;
    const created = await this.api.create(branchId, values);
    this.#store.put(created);
    this.#list.prepend(String(created.id));
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
    void this.#list.sync.now();
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
    this.#presence?.dispose();
    this.#list.dispose();
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
    connection.on('sync-required', () => void this.#list.sync.now());
    connection.onReset(() => void this.#list.sync.now());
    connection.onState((next, previous) => {
      if (this.#connection !== connection) return;
      state.setState({ connection: next });
      this.#connectionChanged(next, previous);
    });
    state.setState({ connection: connection.state });
    const presence = this.#client.presence(connection, branchTopic(branchId));
    this.#presence = presence;
    presence.subscribe(() => state.setState({ present: [...presence.get().values()] }));
    connection.connect();
  }

  #connectionChanged(next: ConnectionState, previous: ConnectionState): void {
    if (next.name === 'signedOut') this.#options.onSignedOut();
    if (next.name === 'closed' && next.problem) this.#failed(next.problem);
    if (next.name !== 'live' || previous.name === 'live') return;
    this.edits.relock();
    void this.#list.sync.now();
  }

  async #loadBranches(): Promise<void> {
    try {
      this.#options.state.setState({ branches: await this.api.branches() });
    } catch {
      // The next load of the list reports the error.
    }
  }

  /** Loads the names for the field `staff`. */
  async loadStaff(): Promise<void> {
    const { branchId } = this.#state;
    try {
      const staff = await this.api.staff(branchId);
      if (this.#state.branchId === branchId) this.#options.state.setState({ staff });
    } catch {
      // The menus then offer the names of the loaded cases.
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
    this.#list.sync.soon();
  }

  #gone(id: number): void {
    this.#list.remove(String(id));
    if (this.#state.openId === String(id)) this.openCase(undefined);
  }

  // The address may name a case that is not in the loaded part of the list.
  async #find(id: string): Promise<void> {
    const { branchId } = this.#state;
    try {
      const found = await this.api.find(id);
      if (found.branchId !== branchId) throw new DunlinError(ELSEWHERE);
      this.#store.put(found);
    } catch (error) {
      if (this.#state.openId !== id || this.#state.branchId !== branchId) return;
      const problem = problemOf(error);
      if (problem.kind === 'signedOut') return this.#options.onSignedOut();
      this.openCase(undefined);
      this.#options.notify({ kind: 'error', text: `The case could not be opened: ${problemWords(problem)}` });
    }
  }

  #setError(key: FieldKey, error: FieldError | undefined): void {
    const errors = new Map(this.#state.errors);
    if (error) errors.set(key, error);
    else errors.delete(key);
    this.#options.state.setState({ errors });
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
    if (typed !== undefined && this.#store.record(id)) this.#setError(key, { text, typed });
  }
}

type Unsaved = Readonly<Record<string, CaseUpdates>>;
