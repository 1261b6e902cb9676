import type { EnvelopeOf, Requests } from '@dunlin/client';

export type TimerMode = 'normal' | 'pomodoro';

export interface PomodoroState {
  readonly phase: 'focus' | 'break';
  readonly cycle: number;
  readonly phaseMs: number;
  readonly isLongBreak: boolean;
}

/** The lengths of a pomodoro's phases. `longBreakEvery` is 0 for no long break. */
export interface Lengths {
  readonly focusMinutes: number;
  readonly breakMinutes: number;
  readonly longBreakMinutes: number;
  readonly longBreakEvery: number;
  readonly version: number;
}

/** A timer as of `asOf`. The remaining time follows from the server's clock. */
export interface Timer {
  readonly id: string;
  readonly version: number;
  readonly status: 'running' | 'paused' | 'break';
  readonly mode: TimerMode;
  readonly taskId: string | null;
  readonly taskTitle: string;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly startedAt: string;
  readonly plannedEndTime: string | null;
  readonly pomodoroState: PomodoroState | null;
  readonly remainingMs: number;
  readonly focusedMs: number;
  readonly pauses: number;
  readonly asOf: string;
}

export interface Session {
  readonly id: string;
  readonly version: number;
  readonly outcome: 'completed' | 'cancelled' | 'plannedEnd' | 'cap';
  readonly taskId: string | null;
  readonly taskTitle: string;
  readonly minutes: number;
  readonly focusedMs: number;
  readonly loggedMs: number;
  readonly startedAt: string;
  readonly endedAt: string;
}

export interface TimerAnswer {
  readonly timer: Timer | null;
  readonly version: number;
  readonly serverNow: string;
  readonly session: Session | null;
}

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly notes: string;
  readonly isDone: boolean;
  readonly loggedMs: number;
  readonly loggedMinutes: number;
  readonly version: number;
  readonly createdAt: string;
}

export interface CalendarEntry {
  readonly id: string;
  readonly title: string;
  readonly notes: string;
  readonly start: string;
  readonly end: string;
  /** Starts and ends at midnight UTC and means these dates in every zone. */
  readonly isAllDay: boolean;
  readonly color: EntryColor;
  /** The task that the entry plans. */
  readonly taskId: string | null;
  /** The rule of RFC 5545 of a series and its occurrences. */
  readonly recurrence: string | null;
  readonly timeZone: string | null;
  /** The series of an occurrence. */
  readonly seriesId: string | null;
  readonly version: number;
}

/** Which occurrences a change applies to. */
export type Scope = 'this' | 'following' | 'all';

export const ENTRY_COLORS = ['', 'red', 'orange', 'green', 'blue', 'purple', 'gray'] as const;
export type EntryColor = (typeof ENTRY_COLORS)[number];

export interface ImportResult {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  readonly skippedCount: number;
}

export interface Device {
  readonly deviceId: string;
  readonly name: string;
  /** Null when unknown, because a node of the server did not answer. */
  readonly isConnected: boolean | null;
  readonly isCurrent: boolean;
}

/** What `started`, `updated` and `moved` say of the timer, beside its complete state. */
export type TimerPayload = Pick<
  Timer,
  'taskId' | 'taskTitle' | 'startedAt' | 'plannedEndTime' | 'mode' | 'pomodoroState' | 'deviceName'
> & { readonly timer: Timer };

/** The channels of the stream. */
export type FocusChannels = {
  timer: EnvelopeOf<{
    started: TimerPayload;
    updated: TimerPayload & { change: string };
    moved: TimerPayload & { targetDeviceId: string; fromDeviceId: string };
    stopped: Session;
  }>;
  tasks: EnvelopeOf<{
    created: { id: string; task: Task };
    updated: { id: string; task: Task };
    deleted: { id: string; version: number };
  }>;
  calendar: EnvelopeOf<{
    event_created: { id: string; event: CalendarEntry };
    event_updated: { id: string; event: CalendarEntry };
    event_deleted: { id: string; version: number };
  }>;
  settings: EnvelopeOf<{ updated: Lengths }>;
  devices: EnvelopeOf<{ updated: { deviceId: string; name: string } }>;
};

export type TimerCommand = 'pause' | 'resume' | 'skip-break' | 'complete' | 'cancel' | 'move' | 'restore';

export interface StartBody {
  readonly timerId: string;
  readonly taskId?: string | undefined;
  readonly taskTitle?: string | undefined;
  readonly mode: TimerMode;
  readonly plannedMinutes?: number | undefined;
}

/** A change of a task or a calendar entry. Idempotent: sending it twice has the same effect as once. */
export interface Mutation {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  /** For edits and deletions: the version that they are based on. The server refuses another one. */
  readonly version?: number | undefined;
}

export class FocusApi {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  timer(signal?: AbortSignal): Promise<TimerAnswer> {
    return this.#send('GET', '/api/timer', undefined, signal);
  }

  lengths(signal?: AbortSignal): Promise<Lengths> {
    return this.#send('GET', '/api/timer/settings', undefined, signal);
  }

  saveLengths(lengths: Omit<Lengths, 'version'>): Promise<Lengths> {
    return this.#send('PUT', '/api/timer/settings', lengths);
  }

  start(body: StartBody): Promise<TimerAnswer> {
    return this.#send('POST', '/api/timer/start', body);
  }

  command(command: TimerCommand, timerId: string): Promise<TimerAnswer> {
    return this.#send('POST', `/api/timer/${command}`, { timerId });
  }

  async tasks(signal?: AbortSignal): Promise<readonly Task[]> {
    return (await this.#send<{ items: Task[] }>('GET', '/api/tasks', undefined, signal)).items;
  }

  async entries(from: Date, to: Date, signal?: AbortSignal): Promise<readonly CalendarEntry[]> {
    const query = `from=${from.toISOString()}&to=${to.toISOString()}`;
    const path = `/api/calendar/events?${query}`;
    return (await this.#send<{ items: CalendarEntry[] }>('GET', path, undefined, signal)).items;
  }

  sessions(from: Date, to: Date): Promise<readonly Session[]> {
    return this.#send('GET', `/api/timer/sessions?from=${from.toISOString()}&to=${to.toISOString()}`);
  }

  importFile(ics: string): Promise<ImportResult> {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    return this.#send('POST', '/api/calendar/import', { ics, timeZone });
  }

  devices(signal?: AbortSignal): Promise<readonly Device[]> {
    return this.#send('GET', '/api/devices', undefined, signal);
  }

  rename(deviceId: string, name: string): Promise<Device> {
    return this.#send('PUT', `/api/devices/${deviceId}`, { name });
  }

  /** Sends a change. Sets `If-Match` if it has a version. */
  async deliver<T>({ method, path, body, version }: Mutation): Promise<T> {
    const headers = version === undefined ? undefined : { 'If-Match': `"${version}"` };
    return (await this.#requests.send<T>(method, path, { body, headers })).body;
  }

  async #send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    return (await this.#requests.send<T>(method, path, { body, ...(signal && { signal }) })).body;
  }
}
