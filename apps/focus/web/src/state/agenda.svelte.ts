import { isTemporary, problemOf, type Client, type Environment, type Problem } from '@dunlin/client';
import { fromStore } from '@dunlin/client/svelte';
import type { CalendarEntry, FocusApi, FocusChannels, Task } from '../api';
import { Outbox, type Parcel } from './outbox';
import { addWeeks, mondayOf } from './week';

export interface AgendaOptions {
  readonly client: Client;
  readonly environment: Environment;
  readonly api: FocusApi;
  readonly user: string;
  readonly storage?: Storage | undefined;
  readonly onProblem: (problem: Problem, what: string) => void;
}

/** Tasks and calendar: what the server has, newest by version, with what waits to be sent laid over it. */
export class Agenda {
  readonly #environment: Environment;
  readonly #api: FocusApi;
  readonly #options: AgendaOptions;
  readonly #outbox: Outbox;
  readonly #taskStore;
  readonly #entryStore;
  readonly #storedTasks;
  readonly #storedEntries;

  monday = $state.raw(mondayOf(new Date()));
  #waiting = $state.raw<readonly Parcel[]>([]);

  constructor(options: AgendaOptions) {
    this.#options = options;
    const { client, environment, api, onProblem } = options;
    this.#environment = environment;
    this.#api = api;
    this.#taskStore = client.store<Task>({
      save: async (id, changes) => ({ record: await api.updateTask(id, changes) }),
    });
    this.#entryStore = client.store<CalendarEntry>({
      save: async (id, changes) => ({ record: await api.updateEntry(id, changes) }),
    });
    for (const store of [this.#taskStore, this.#entryStore])
      store.onRefused(({ problem }) => onProblem(problem, 'That change was not taken'));
    this.#storedTasks = fromStore(this.#taskStore, (state) => state.records);
    this.#storedEntries = fromStore(this.#entryStore, (state) => state.records);
    this.#outbox = new Outbox({
      environment,
      storage: options.storage,
      prefix: `focus.outbox ${options.user}`,
      send: (parcel) => this.#deliver(parcel),
      onChange: (waiting) => (this.#waiting = waiting),
      onRefused: (_, problem) => onProblem(problem, 'The server refused it'),
    });
    this.#waiting = this.#outbox.waiting;
  }

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
    this.#loadEntries().catch((error: unknown) => {
      // Without network, what is known of that week stands until the connection is back.
      const problem = problemOf(error);
      if (!isTemporary(problem)) this.#options.onProblem(problem, 'The week was not loaded');
    });
  }

  /** Everything anew. */
  async load(): Promise<void> {
    const since = this.#taskStore.mark();
    const [tasks] = await Promise.all([this.#api.tasks(), this.#loadEntries()]);
    this.#taskStore.merge(tasks, { since, complete: true });
  }

  /** Sends what waits, for example when the connection is live again. */
  resume(): void {
    void this.#outbox.flush();
  }

  async flush(): Promise<void> {
    await Promise.all([this.#taskStore.flush(), this.#entryStore.flush(), this.#outbox.flush()]);
  }

  dispose(): void {
    this.#outbox.dispose();
  }

  onTask(event: FocusChannels['tasks']): void {
    if (event.type === 'deleted') this.#taskStore.remove(event.payload.id, event.payload.version);
    else this.#taskStore.put(event.payload.task);
  }

  onEntry(event: FocusChannels['calendar']): void {
    if (event.type === 'event_deleted') this.#entryStore.remove(event.payload.id, event.payload.version);
    else this.#entryStore.put(event.payload.event);
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
}
