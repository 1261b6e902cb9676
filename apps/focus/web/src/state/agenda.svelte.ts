import {
  isTemporary,
  problemOf,
  type Cancel,
  type Client,
  type Environment,
  type Problem,
} from '@dunlin/client';
import { fromStore } from '@dunlin/client/svelte';
import type { CalendarEntry, FocusApi, FocusChannels, ImportResult, Scope, Task } from '../api/focus';
import { Outbox, type Fields, type PendingMutation, type Versioned } from './outbox';
import type { Span } from './drag';
import { datesOf, shiftedDates } from './allDay';
import { clock, dateText, momentText } from './formats';
import { monthOf } from './month';
import type { Undo } from './undo';
import { addWeeks, mondayOf, withOffset } from './week';

export interface AgendaOptions {
  readonly client: Client;
  readonly environment: Environment;
  readonly api: FocusApi;
  readonly user: string;
  readonly storage?: Storage | undefined;
  readonly undo: Undo;
  /** `typed`: the user input of a change that was dropped. */
  readonly onProblem: (problem: Problem, what: string, typed?: string) => void;
}

/** An object with its pending changes applied. */
type Pending<T> = T & { readonly isWaiting?: boolean };
export type TaskFields = Pick<Task, 'title' | 'notes' | 'isDone'>;
export type EntryFields = Pick<
  CalendarEntry,
  'title' | 'notes' | 'start' | 'end' | 'isAllDay' | 'color' | 'taskId' | 'recurrence' | 'timeZone'
>;
export type View = 'week' | 'month';

/** Delay from an event of a series to the load of its occurrences, in milliseconds. */
const RELOAD_MS = 150;

const PATHS = { task: '/api/tasks', entry: '/api/calendar/events' } as const;

// The fields that the user edits. Changes of other fields are no conflict.
const fieldsOf = {
  task: ({ title, notes, isDone }: TaskFields): TaskFields => ({ title, notes, isDone }),
  entry: (entry: EntryFields): EntryFields => {
    const { title, notes, start, end, isAllDay, color, taskId, recurrence, timeZone } = entry;
    return { title, notes, start, end, isAllDay, color, taskId, recurrence, timeZone };
  },
};

/** Tasks and calendar: the server's newest versions, with pending changes on top. */
export class Agenda {
  readonly #environment: Environment;
  readonly #api: FocusApi;
  readonly #options: AgendaOptions;
  readonly #outbox: Outbox;
  readonly #taskStore;
  readonly #entryStore;
  readonly #storedTasks;
  readonly #storedEntries;

  /** A day of the displayed week or month. */
  shown = $state.raw(mondayOf(new Date()));
  view: View = $state('week');
  readonly monday: Date = $derived(mondayOf(this.shown));
  #stopReload: Cancel | undefined;
  #waiting = $state.raw<readonly PendingMutation[]>([]);

  constructor(options: AgendaOptions) {
    this.#options = options;
    const { client, environment, api, onProblem } = options;
    this.#environment = environment;
    this.#api = api;
    // The stores hold the server's state only. Edits must survive a reload, so they go through the outbox.
    const save = () => Promise.reject(new Error('Edits go through the outbox.'));
    this.#taskStore = client.store<Task>({ save });
    this.#entryStore = client.store<CalendarEntry>({ save });
    this.#storedTasks = fromStore(this.#taskStore, (state) => state.records);
    this.#storedEntries = fromStore(this.#entryStore, (state) => state.records);
    this.#outbox = new Outbox({
      environment,
      storage: options.storage,
      prefix: `focus.outbox ${options.user}`,
      send: (mutation) => this.#deliver(mutation),
      onChange: (waiting) => (this.#waiting = waiting),
      onRefused: (mutation, problem) =>
        onProblem(problem, `“${titleOf(mutation)}” was not saved`, typedIn(mutation)),
    });
    this.#waiting = this.#outbox.waiting;
  }

  /** Tasks with pending changes applied, open ones first. */
  readonly tasks: readonly Pending<Task>[] = $derived.by(() =>
    this.#pending('task', this.#storedTasks.current).sort(
      (one, other) => Number(one.isDone) - Number(other.isDone) || (one.createdAt < other.createdAt ? -1 : 1),
    ),
  );

  readonly entries: readonly Pending<CalendarEntry>[] = $derived.by(() =>
    this.#pending('entry', this.#storedEntries.current),
  );

  /** Edits and deletions that conflict with a change of another device. The user decides. */
  readonly conflicts: readonly PendingMutation[] = $derived.by(() =>
    this.#waiting.filter(({ theirs }) => theirs),
  );

  resolve(mutation: PendingMutation, choice: 'ours' | 'theirs'): void {
    if (mutation.theirs) this.#put(mutation.kind, mutation.theirs);
    this.#outbox.resolve(mutation, choice);
  }

  addTask(title: string): void {
    this.#add('task', { title });
  }

  editTask(task: Task, changes: Partial<TaskFields>): void {
    this.#change('task', task, changes);
  }

  deleteTask(task: Task): void {
    this.#remove('task', task);
  }

  addEntry(entry: EntryFields): string {
    return this.#add('entry', entry);
  }

  /** Adds an event of a task. */
  planTask({ id: taskId, title }: Task, times: Pick<EntryFields, 'start' | 'end' | 'isAllDay'>): void {
    const none = { notes: '', color: '', recurrence: null, timeZone: null } as const;
    const id = this.addEntry({ title, ...times, ...none, taskId });
    this.#options.undo.offer(`“${title}” is planned.`, () => {
      const entry = this.entries.find((each) => each.id === id);
      if (entry) this.#remove('entry', entry);
    });
  }

  /** Edits an entry relative to its state when the editing began, so that later changes of others are not overwritten. */
  editEntry(entry: CalendarEntry, changes: Partial<EntryFields>, scope: Scope = 'this'): void {
    this.#change('entry', entry, changes, scope);
  }

  deleteEntry(entry: CalendarEntry, scope: Scope = 'this'): void {
    this.#remove('entry', entry, scope);
    if (scope !== 'this') return;
    // An occurrence returns as a single entry: its series has excluded it.
    const fields = { ...fieldsOf.entry(entry), recurrence: null, timeZone: null };
    this.#options.undo.offer(`“${entry.title}” was deleted.`, () => this.addEntry(fields));
  }

  /** Moves an all-day entry by days, or only its last day. */
  moveDates(entry: CalendarEntry, days: number, isLastOnly: boolean): void {
    const dates = shiftedDates(entry, days, isLastOnly);
    const { first, last } = datesOf({ ...entry, ...dates });
    const span = first === last ? dateText(first) : `${dateText(first)} to ${dateText(last)}`;
    this.#move(entry, dates, span);
  }

  /** Gives an entry another time. */
  moveEntry(entry: CalendarEntry, { start, end }: Span): void {
    if (Date.parse(entry.start) === start.getTime() && Date.parse(entry.end) === end.getTime()) return;
    const times = { start: withOffset(start), end: withOffset(end) };
    this.#move(entry, times, `${momentText(start)} to ${clock.format(end)}`);
  }

  #move(entry: CalendarEntry, times: Pick<CalendarEntry, 'start' | 'end'>, text: string): void {
    const before = { start: entry.start, end: entry.end };
    this.editEntry(entry, times);
    this.#options.undo.offer(`“${entry.title}”: ${text}.`, () => {
      const now = this.entries.find(({ id }) => id === entry.id);
      if (now) this.editEntry(now, before);
    });
  }

  show(day: Date, view = this.view): void {
    this.shown = day;
    this.view = view;
    this.#loadEntries().catch((error: unknown) => {
      // Without network the cached week stays until the connection is back.
      const problem = problemOf(error);
      if (!isTemporary(problem)) this.#options.onProblem(problem, `The ${this.view} was not loaded`);
    });
  }

  /** Imports an iCalendar file. Rejects with the problem of an invalid one. */
  async importFile(ics: string): Promise<ImportResult> {
    const result = await this.#api.importFile(ics);
    this.#reloadSoon();
    return result;
  }

  /** Loads everything again. */
  async load(signal?: AbortSignal): Promise<void> {
    const since = this.#taskStore.mark();
    const [tasks] = await Promise.all([this.#api.tasks(signal), this.#loadEntries(signal)]);
    this.#taskStore.merge(tasks, { since, complete: true });
  }

  /** Sends pending changes, for example after a reconnect. */
  resume(): void {
    void this.#outbox.flush();
  }

  async flush(): Promise<void> {
    await Promise.all([this.#taskStore.flush(), this.#entryStore.flush(), this.#outbox.flush()]);
  }

  /** Number of pending changes. */
  get unsent(): number {
    return this.#waiting.length;
  }

  dispose(): void {
    this.#stopReload?.();
    this.#outbox.dispose();
    this.#taskStore.dispose();
    this.#entryStore.dispose();
  }

  onTask(event: FocusChannels['tasks']): void {
    if (event.type === 'deleted') this.#taskStore.remove(event.payload.id, event.payload.version);
    else this.#taskStore.put(event.payload.task);
  }

  onEntry(event: FocusChannels['calendar']): void {
    if (event.type === 'event_deleted') {
      const { id, version } = event.payload;
      this.#entryStore.remove(id, version);
      if (this.entries.some((entry) => entry.seriesId === id)) this.#reloadSoon();
    } else if (!this.#putEntry(event.payload.event)) this.#reloadSoon();
  }

  // Also loads the weeks before and after, so that navigation displays entries at once.
  async #loadEntries(signal?: AbortSignal): Promise<void> {
    const since = this.#entryStore.mark();
    const first = this.view === 'month' ? monthOf(this.shown)[0]![0]!.start : this.monday;
    const [from, to] = [addWeeks(first, -1), addWeeks(first, this.view === 'month' ? 7 : 2)];
    const entries = await this.#api.entries(from, to, signal);
    const present = new Set(entries.map((entry) => entry.id));
    // The answer is complete for its range only. Cached entries of other weeks stay.
    const others = [...this.#entryStore.get().records.values()].filter(
      (entry) =>
        !present.has(entry.id) &&
        (Date.parse(entry.end) <= from.getTime() || Date.parse(entry.start) >= to.getTime()),
    );
    this.#entryStore.merge([...entries, ...others], { since, complete: true });
  }

  #add(kind: PendingMutation['kind'], fields: Fields): string {
    const id = this.#environment.randomId();
    this.#outbox.add({ id, kind, method: 'POST', path: PATHS[kind], body: { id, ...fields } });
    return id;
  }

  #change<T extends Task | CalendarEntry>(
    kind: PendingMutation['kind'],
    from: T,
    changes: Partial<T>,
    scope: Scope = 'this',
  ): void {
    const names = (Object.keys(changes) as (keyof T)[]).filter((name) => changes[name] !== from[name]);
    if (names.length === 0) return;
    const pick = (of: Partial<T>) => Object.fromEntries(names.map((name) => [name, of[name]]));
    // On the wire null stands for no change.
    const body = Object.fromEntries(names.map((name) => [name, changes[name] ?? '']));
    const { id, version } = from;
    const path = pathOf(kind, id, scope);
    this.#outbox.add({ id, kind, method: 'PATCH', path, body, version, before: pick(from) });
  }

  #remove(kind: PendingMutation['kind'], from: Task | CalendarEntry, scope: Scope = 'this'): void {
    const { id, version } = from;
    const before = fieldsOf[kind](from as Task & CalendarEntry);
    this.#outbox.add({ id, kind, method: 'DELETE', path: pathOf(kind, id, scope), version, before });
  }

  async #deliver(mutation: PendingMutation): Promise<Versioned | undefined> {
    const answer = await this.#api.deliver<Versioned | undefined>(mutation);
    if (mutation.kind === 'entry' && isOfSeries(mutation, answer)) {
      // The occurrences come from the server. They stay outdated until the next load if it cannot be reached.
      await this.#loadEntries().catch(() => {});
      return undefined;
    }
    if (mutation.method !== 'DELETE') this.#put(mutation.kind, answer!);
    else if (mutation.kind === 'task') this.#taskStore.remove(mutation.id);
    else this.#entryStore.remove(mutation.id);
    return mutation.method === 'DELETE' ? undefined : answer;
  }

  #put(kind: PendingMutation['kind'], record: Versioned): void {
    if (kind === 'task') this.#taskStore.put(record as unknown as Task);
    else this.#putEntry(record as unknown as CalendarEntry);
  }

  /** Returns false for an entry that changes others: a series, of which only occurrences are displayed, or one of its exceptions. */
  #putEntry(entry: CalendarEntry): boolean {
    const isSeries = entry.recurrence !== null && !entry.seriesId;
    // An entry that has become a series is no longer displayed itself.
    if (isSeries) this.#entryStore.remove(entry.id, entry.version);
    else this.#entryStore.put(entry);
    return !isSeries && !entry.seriesId;
  }

  /** A change of a series has several events: one load follows them all. */
  #reloadSoon(): void {
    this.#stopReload?.();
    this.#stopReload = this.#environment.setTimer(RELOAD_MS, () => {
      this.#loadEntries().catch(() => {});
    });
  }

  #pending<T extends { readonly id: string }>(
    kind: PendingMutation['kind'],
    known: ReadonlyMap<string, T>,
  ): Pending<T>[] {
    const blank = {
      ...{ notes: '', isDone: false, loggedMs: 0, loggedMinutes: 0, version: 0, createdAt: '9' },
      ...{ isAllDay: false, color: '', taskId: null, recurrence: null, timeZone: null, seriesId: null },
    };
    const shown = new Map<string, Pending<T>>(known);
    for (const { id, method, body, theirs } of this.#waiting.filter((mutation) => mutation.kind === kind)) {
      const before = shown.get(id);
      if (method === 'DELETE' && !theirs) shown.delete(id);
      else if (method === 'POST' && !before)
        shown.set(id, { ...blank, ...body, isWaiting: true } as unknown as Pending<T>);
      else if (method === 'PATCH' && before) shown.set(id, { ...before, ...body, isWaiting: true });
    }
    return [...shown.values()];
  }
}

function pathOf(kind: PendingMutation['kind'], id: string, scope: Scope): string {
  return `${PATHS[kind]}/${id}${scope === 'this' ? '' : `?scope=${scope}`}`;
}

/** Returns whether a change affects further entries of the series. */
function isOfSeries({ path, before }: PendingMutation, answer: Versioned | undefined): boolean {
  const rule = [answer?.['recurrence'], before?.['recurrence']].find(Boolean);
  return path.includes('?scope=') || (rule !== undefined && !answer?.['seriesId']);
}

/** Returns the title of the changed object. */
export function titleOf({ body, before, theirs }: PendingMutation): string {
  const title = [theirs, before, body]
    .map((each) => each?.['title'])
    .find((each) => typeof each === 'string');
  return title ?? 'The change';
}

/** Returns the user input of the change. */
function typedIn({ body }: PendingMutation): string {
  const texts = [body?.['title'], body?.['notes']];
  return texts.filter((text) => typeof text === 'string' && text !== '').join('\n');
}
