import {
  browserEnvironment,
  Client,
  isTemporary,
  problemOf,
  type Connection,
  type Environment,
  type Problem,
} from '@dunlin/client';
import { fromConnection, fromStore } from '@dunlin/client/svelte';
import {
  FocusApi,
  type CalendarEntry,
  type Device,
  type FocusChannels,
  type Session,
  type StartBody,
  type Task,
  type Timer,
  type TimerAnswer,
  type TimerCommand,
} from '../api';
import { faceOf, lookOf, type Face } from './face';
import type { Look } from './looks';
import { Outbox, type Parcel } from './outbox';
import { ServerClock } from './serverClock';
import { addWeeks, mondayOf } from './week';

export interface FocusOptions {
  readonly user: string;
  readonly refresh: () => Promise<boolean>;
  readonly notify: (text: string, kind?: 'info' | 'error') => void;
  readonly onSignedOut: () => void;
  readonly environment?: Environment | undefined;
  readonly storage?: Storage | undefined;
}

/** The server's time is asked for again this often while the page is open. */
const MEASURE_MS = 5 * 60_000;

/** The page without its looks: one connection, the timer, tasks, calendar and devices, each newest by version. */
export class Focus {
  readonly deviceId: string;
  readonly clock: ServerClock;
  readonly #options: FocusOptions;
  readonly #environment: Environment;
  readonly #client: Client;
  readonly #api: FocusApi;
  readonly #connection: Connection<FocusChannels>;
  readonly #outbox: Outbox;
  readonly #taskStore;
  readonly #entryStore;
  readonly #connectionState;
  readonly #storedTasks;
  readonly #storedEntries;

  timer = $state.raw<Timer | null>(null);
  /** Events of the stream that this page has been handed. */
  heard = $state(0);
  isLoaded = $state(false);
  isBusy = $state(false);
  problem = $state.raw<Problem | undefined>(undefined);
  devices = $state.raw<readonly Device[]>([]);
  monday = $state.raw(mondayOf(new Date()));
  #timerVersion = -1;
  #waiting = $state.raw<readonly Parcel[]>([]);
  /** Moves with the server's seconds; whatever shows time reads it. */
  #tick = $state(0);
  #stopTick: (() => void) | undefined;
  #stopMeasuring: (() => void) | undefined;

  constructor(options: FocusOptions) {
    this.#options = options;
    const environment = (this.#environment = options.environment ?? browserEnvironment());
    this.#client = new Client({ environment, user: options.user, refresh: options.refresh });
    this.deviceId = this.#client.deviceId;
    this.clock = new ServerClock(environment);
    this.#api = new FocusApi(this.#client.requests);
    this.#taskStore = this.#client.store<Task>({
      save: async (id, changes) => ({ record: await this.#api.updateTask(id, changes) }),
      debounceMs: 400,
    });
    this.#entryStore = this.#client.store<CalendarEntry>({
      save: async (id, changes) => ({ record: await this.#api.updateEntry(id, changes) }),
      debounceMs: 0,
    });
    for (const store of [this.#taskStore, this.#entryStore])
      store.onRefused(({ problem }) => this.#tell(problem, 'That change was not taken'));
    this.#storedTasks = fromStore(this.#taskStore, (state) => state.records);
    this.#storedEntries = fromStore(this.#entryStore, (state) => state.records);
    this.#outbox = new Outbox({
      environment,
      storage: options.storage,
      prefix: `focus.outbox ${options.user}`,
      send: (parcel) => this.#deliver(parcel),
      onChange: (waiting) => (this.#waiting = waiting),
      onRefused: (_, problem) => this.#tell(problem, 'The server refused it'),
    });
    this.#waiting = this.#outbox.waiting;
    this.#connection = this.#client.connection<FocusChannels>({
      path: `/api/sse?deviceId=${this.deviceId}`,
      format: 'envelope',
      heartbeatSeconds: 30,
    });
    this.#connectionState = fromConnection(this.#connection);
    this.#listen();
  }

  readonly look: Look = $derived.by(() => lookOf(this.timer, this.deviceId));

  readonly face: Face | undefined = $derived.by(() => {
    void this.#tick;
    return this.timer && this.clock.isSet ? faceOf(this.timer, this.clock.now()) : undefined;
  });

  /** Tasks as they will be once the outbox is empty; the open ones first. */
  readonly tasks: readonly (Task & { readonly isWaiting?: boolean })[] = $derived.by(() => {
    const made = this.#made<Task>('task', this.#storedTasks.current);
    const gone = this.#deleted('task');
    const all = [...this.#storedTasks.current.values(), ...made].filter((task) => !gone.has(task.id));
    return all.sort(
      (one, other) => Number(one.isDone) - Number(other.isDone) || (one.createdAt < other.createdAt ? -1 : 1),
    );
  });

  readonly entries: readonly (CalendarEntry & { readonly isWaiting?: boolean })[] = $derived.by(() => {
    const gone = this.#deleted('entry');
    const made = this.#made<CalendarEntry>('entry', this.#storedEntries.current);
    return [...this.#storedEntries.current.values(), ...made].filter((entry) => !gone.has(entry.id));
  });

  get connection() {
    return this.#connectionState.current;
  }

  get thisDevice(): Device | undefined {
    return this.devices.find((device) => device.deviceId === this.deviceId);
  }

  /** Today, by the server's clock. */
  get today(): Date {
    void this.#tick;
    return this.clock.isSet ? new Date(this.clock.now()) : new Date();
  }

  start(): void {
    this.#connection.connect();
    void this.#load();
    this.#scheduleTick();
    this.#scheduleMeasuring();
  }

  /** The same user is signed in again. */
  signedIn(): void {
    this.#connection.connect();
    void this.#load();
    void this.#outbox.flush();
  }

  async flush(): Promise<void> {
    await Promise.all([this.#taskStore.flush(), this.#entryStore.flush(), this.#outbox.flush()]);
  }

  retry(): void {
    this.problem = undefined;
    this.#connection.connect();
    void this.#load();
  }

  dispose(): void {
    this.#stopTick?.();
    this.#stopMeasuring?.();
    this.#outbox.dispose();
    this.#client.dispose();
  }

  // The timer

  startTimer(body: Omit<StartBody, 'timerId'>): Promise<void> {
    const timerId = this.#environment.randomId();
    return this.#command(() => this.#api.start({ ...body, timerId }));
  }

  command(command: TimerCommand): Promise<void> {
    const { timer } = this;
    return timer ? this.#command(() => this.#api.command(command, timer.id)) : Promise.resolve();
  }

  togglePause(): Promise<void> {
    if (this.look === 'running' || this.look === 'break') return this.command('pause');
    return this.look === 'paused' ? this.command('resume') : Promise.resolve();
  }

  // Tasks and calendar

  addTask(title: string): void {
    const id = this.#environment.randomId();
    this.#outbox.add({ id, kind: 'task', method: 'POST', path: '/api/tasks', body: { id, title } });
  }

  editTask(id: string, changes: Partial<Pick<Task, 'title' | 'notes' | 'isDone'>>): void {
    void this.#taskStore.edit(id, changes, { immediate: true });
  }

  deleteTask(id: string): void {
    this.#outbox.add({ id, kind: 'task', method: 'DELETE', path: `/api/tasks/${id}` });
  }

  addEntry(entry: Pick<CalendarEntry, 'title' | 'notes' | 'start' | 'end'>): void {
    const id = this.#environment.randomId();
    this.#outbox.add({
      id,
      kind: 'entry',
      method: 'POST',
      path: '/api/calendar/events',
      body: { id, ...entry },
    });
  }

  editEntry(id: string, changes: Partial<Pick<CalendarEntry, 'title' | 'notes' | 'start' | 'end'>>): void {
    void this.#entryStore.edit(id, changes, { immediate: true });
  }

  deleteEntry(id: string): void {
    this.#outbox.add({ id, kind: 'entry', method: 'DELETE', path: `/api/calendar/events/${id}` });
  }

  showWeek(monday: Date): void {
    this.monday = monday;
    void this.#loadEntries();
  }

  async rename(name: string): Promise<void> {
    try {
      this.#renamed(await this.#api.rename(this.deviceId, name));
    } catch (error) {
      this.#tell(problemOf(error), 'The name was not changed');
    }
  }

  // The stream

  #listen(): void {
    const connection = this.#connection;
    connection.on('*', (_, { type }) => {
      if (type !== 'system') this.heard++;
    });
    connection.on('timer', (event) => {
      this.clock.atLeast(event.timestamp);
      if (event.type === 'stopped') this.#stopped(event.payload, event.sourceDeviceId);
      else this.#take(event.payload.timer, event.payload.timer.version);
    });
    connection.on('tasks', (event) => {
      this.clock.atLeast(event.timestamp);
      if (event.type === 'deleted') this.#taskStore.remove(event.payload.id, event.payload.version);
      else this.#taskStore.put(event.payload.task);
    });
    connection.on('calendar', (event) => {
      this.clock.atLeast(event.timestamp);
      if (event.type === 'event_deleted') this.#entryStore.remove(event.payload.id, event.payload.version);
      else this.#entryStore.put(event.payload.event);
    });
    connection.on('devices', (event) => this.#renamed(event.payload));
    connection.onReset(() => void this.#load());
    connection.onState((next, previous) => {
      if (next.name === 'signedOut') this.#options.onSignedOut();
      if (next.name === 'closed' && next.problem) this.problem = next.problem;
      if (next.name !== 'live' || previous.name === 'live') return;
      void this.#load();
      void this.#outbox.flush();
    });
  }

  #take(timer: Timer | null, version: number): void {
    // The answer to one's own command, its event, and a page that was fetched meanwhile: the newest stays.
    if (version < this.#timerVersion) return;
    this.#timerVersion = version;
    if (timer && timer.deviceName !== this.timer?.deviceName) void this.#loadDevices();
    this.timer = timer;
    this.#scheduleTick();
  }

  #stopped(session: Session, sourceDeviceId: string | undefined): void {
    const isNews = session.version > this.#timerVersion;
    this.#take(null, session.version);
    if (!isNews) return;
    if (session.outcome === 'plannedEnd')
      this.#options.notify(`Done: ${session.minutes} min of “${session.taskTitle}”.`);
    else if (session.outcome === 'cap')
      this.#options.notify(`The timer for “${session.taskTitle}” ended after 24 hours.`);
    else if (sourceDeviceId !== this.deviceId) {
      const how = session.outcome === 'cancelled' ? 'cancelled' : `completed, ${session.minutes} min`;
      this.#options.notify(`“${session.taskTitle}” was ${how} on another device.`);
    }
  }

  async #command(send: () => Promise<TimerAnswer>): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      const { timer, version, session } = await this.clock.measure(send);
      this.#take(timer, version);
      if (session && session.outcome !== 'cancelled')
        this.#options.notify(
          session.loggedMs > 0
            ? `${session.minutes} min logged to “${session.taskTitle}”.`
            : `Done: ${session.minutes} min.`,
        );
    } catch (error) {
      const problem = problemOf(error);
      const detail = problem.detail?.['detail'];
      if (problem.kind === 'conflict' && typeof detail === 'string') this.#options.notify(detail, 'error');
      else this.#tell(problem, 'The timer did not change');
      if (!isTemporary(problem)) void this.#loadTimer();
    } finally {
      this.isBusy = false;
    }
  }

  async #load(): Promise<void> {
    try {
      const since = this.#taskStore.mark();
      const [tasks] = await Promise.all([
        this.#api.tasks(),
        this.#loadTimer(),
        this.#loadEntries(),
        this.#loadDevices(),
      ]);
      this.#taskStore.merge(tasks, { since, complete: true });
      this.problem = undefined;
      this.isLoaded = true;
    } catch (error) {
      const problem = problemOf(error);
      if (problem.kind === 'signedOut') return;
      if (!isTemporary(problem) || !this.isLoaded) this.problem = problem;
    }
  }

  async #loadTimer(): Promise<void> {
    const { timer, version } = await this.clock.measure(() => this.#api.timer());
    this.#take(timer, version);
  }

  // A week on either side, so that going on shows something at once.
  async #loadEntries(): Promise<void> {
    const since = this.#entryStore.mark();
    const [from, to] = [addWeeks(this.monday, -1), addWeeks(this.monday, 2)];
    const entries = await this.#api.entries(from, to);
    const present = new Set(entries.map((entry) => entry.id));
    // The page is complete for its weeks only: what is known of other weeks stays.
    const others = [...this.#entryStore.get().records.values()].filter(
      (entry) =>
        !present.has(entry.id) &&
        (Date.parse(entry.end) <= from.getTime() || Date.parse(entry.start) >= to.getTime()),
    );
    this.#entryStore.merge([...entries, ...others], { since, complete: true });
  }

  async #loadDevices(): Promise<void> {
    this.devices = await this.#api.devices();
  }

  #renamed({ deviceId, name }: Pick<Device, 'deviceId' | 'name'>): void {
    this.devices = this.devices.map((device) =>
      device.deviceId === deviceId ? { ...device, name } : device,
    );
    if (this.timer?.deviceId === deviceId) this.timer = { ...this.timer, deviceName: name };
  }

  // The outbox

  async #deliver(parcel: Parcel): Promise<void> {
    const { method, path, body, kind, id } = parcel;
    const answer = await this.#api.post<unknown>(method, path, body);
    const store = kind === 'task' ? this.#taskStore : this.#entryStore;
    if (method === 'DELETE') store.remove(id);
    else store.put(answer as Task & CalendarEntry);
  }

  #made<T extends { readonly id: string }>(
    kind: Parcel['kind'],
    known: ReadonlyMap<string, T>,
  ): (T & { isWaiting: boolean })[] {
    const blank = { notes: '', isDone: false, loggedMs: 0, loggedMinutes: 0, version: 0, createdAt: '9' };
    return this.#waiting
      .filter((parcel) => parcel.kind === kind && parcel.method === 'POST' && !known.has(parcel.id))
      .map(
        (parcel) => ({ ...blank, ...parcel.body, isWaiting: true }) as unknown as T & { isWaiting: boolean },
      );
  }

  #deleted(kind: Parcel['kind']): ReadonlySet<string> {
    return new Set(
      this.#waiting
        .filter((parcel) => parcel.kind === kind && parcel.method === 'DELETE')
        .map(({ id }) => id),
    );
  }

  // Time

  /** The next tick falls on the moment when the text of the clock changes, so that seconds are as long as each other. */
  #scheduleTick(): void {
    this.#stopTick?.();
    this.#tick++;
    const isCounting = this.timer !== null && this.timer.status !== 'paused';
    const untilChange = isCounting
      ? 1000 -
        ((((this.clock.now() - Date.parse(this.timer!.asOf) - this.timer!.remainingMs) % 1000) + 1000) % 1000)
      : 30_000;
    this.#stopTick = this.#environment.setTimer(untilChange + 4, () => this.#scheduleTick());
  }

  #scheduleMeasuring(): void {
    this.#stopMeasuring = this.#environment.setTimer(MEASURE_MS, () => {
      if (this.#connection.isConnected()) void this.#loadTimer().catch(() => {});
      this.#scheduleMeasuring();
    });
  }

  #tell(problem: Problem, what: string): void {
    if (problem.kind === 'signedOut') return;
    const why =
      problem.kind === 'network'
        ? 'the server cannot be reached'
        : (problem.detail?.['detail'] ?? problem.title);
    this.#options.notify(`${what}: ${String(why)}`, 'error');
  }
}
