import {
  browserEnvironment,
  Client,
  isTemporary,
  problemOf,
  type Connection,
  type Environment,
  type Problem,
} from '@dunlin/client';
import { fromConnection } from '@dunlin/client/svelte';
import {
  FocusApi,
  type Device,
  type FocusChannels,
  type Session,
  type StartBody,
  type Timer,
  type TimerAnswer,
  type TimerCommand,
} from '../api/focus';
import { browserAlerts, type AlertOutputs } from '../api/alerts';
import { Alerts } from './alerts.svelte';
import { Agenda } from './agenda.svelte';
import { faceOf, lookOf, type Face } from './face';
import { PhaseLengths } from './lengths.svelte';
import { Loader } from './loader';
import type { Look } from './looks';
import { endAfter, endBefore, endOfTimer, type PhaseEnd } from './phases';
import { ServerClock } from './serverClock';
import { Summary } from './summary.svelte';
import { Undo } from './undo';

export interface FocusOptions {
  readonly user: string;
  readonly refresh: () => Promise<boolean>;
  /** `typed`: user input of a change that was dropped, for copying. */
  /** `undo`: reverts what the notice reports. Returns a function that removes the notice. */
  readonly notify: (
    text: string,
    kind?: 'info' | 'error',
    typed?: string,
    undo?: () => void,
  ) => (() => void) | void;
  readonly onSignedOut: () => void;
  readonly environment?: Environment | undefined;
  readonly storage?: Storage | undefined;
  readonly alerts?: AlertOutputs | undefined;
}

/** Interval between measurements of the server's time while the page is open, in milliseconds. */
const MEASURE_MS = 5 * 60_000;

/** A phase that ended earlier is not alerted. In milliseconds. */
const RECENT_MS = 60_000;

/** For requests that are repeated after a reconnect. */
const ignore = () => {};

/** The state of the page: one connection, the timer, the agenda and the devices, each in its newest version. */
export class Focus {
  readonly deviceId: string;
  readonly clock: ServerClock;
  readonly agenda: Agenda;
  readonly undo: Undo;
  readonly lengths: PhaseLengths;
  readonly summary: Summary;
  /** Number of loads and of timers that ended since: the summary depends on them. */
  finished = $state(0);
  readonly alerts: Alerts;
  readonly #options: FocusOptions;
  readonly #environment: Environment;
  readonly #client: Client;
  readonly #api: FocusApi;
  readonly #connection: Connection<FocusChannels>;
  readonly #connectionState;
  readonly #loader: Loader;

  timer = $state.raw<Timer | null>(null);
  /** Number of received stream events. */
  heard = $state(0);
  isLoaded = $state(false);
  isBusy = $state(false);
  /** The running command, or the last one. */
  #running: Promise<void> = Promise.resolve();
  problem = $state.raw<Problem | undefined>(undefined);
  devices = $state.raw<readonly Device[]>([]);
  #timerVersion = -1;
  /** Increments with the server's seconds. Everything that displays time depends on it. */
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
    this.lengths = new PhaseLengths(this.#api);
    this.summary = new Summary(this.#api);
    this.undo = new Undo(environment, (text, undo) => options.notify(text, 'info', undefined, undo));
    this.agenda = new Agenda({
      undo: this.undo,
      client: this.#client,
      environment,
      api: this.#api,
      user: options.user,
      storage: options.storage,
      onProblem: (problem, what, typed) => this.#tell(problem, what, typed),
    });
    this.alerts = new Alerts({
      environment,
      storage: options.storage,
      user: options.user,
      outputs: options.alerts ?? browserAlerts(),
    });
    this.#connection = this.#client.connection<FocusChannels>({
      path: `/api/sse?deviceId=${this.deviceId}`,
      format: 'envelope',
      heartbeatSeconds: 30,
    });
    this.#loader = new Loader({
      environment,
      load: async (signal) => {
        await Promise.all([
          this.agenda.load(signal),
          this.lengths.load(signal),
          this.#loadTimer(signal),
          this.#loadDevices(signal),
        ]);
      },
      onLoaded: () => {
        this.problem = undefined;
        this.isLoaded = true;
        this.finished++;
      },
      onFailed: (problem) => {
        if (!isTemporary(problem) || !this.isLoaded) this.problem = problem;
      },
    });
    this.#connectionState = fromConnection(this.#connection);
    this.#listen();
  }

  readonly look: Look = $derived.by(() => lookOf(this.timer, this.deviceId));

  readonly face: Face | undefined = $derived.by(() => {
    void this.#tick;
    return this.timer && this.clock.isSet ? faceOf(this.timer, this.clock.now()) : undefined;
  });

  get isLoading(): boolean {
    return !this.isLoaded && !this.problem;
  }

  /** Says why there is no content yet. Undefined once the content is loaded. */
  get loadingText(): string | undefined {
    if (this.isLoaded) return undefined;
    return this.problem ? 'Not loaded' : 'Loading …';
  }

  get connection() {
    return this.#connectionState.current;
  }

  get thisDevice(): Device | undefined {
    return this.devices.find((device) => device.deviceId === this.deviceId);
  }

  /** Today by the server's clock. */
  get today(): Date {
    void this.#tick;
    return this.clock.isSet ? new Date(this.clock.now()) : new Date();
  }

  start(): void {
    this.alerts.start();
    this.#connection.connect();
    void this.#loader.run();
    this.#scheduleTick();
    this.#scheduleMeasuring();
  }

  /** Continues after the same user signed in again. */
  signedIn(): void {
    this.#connection.connect();
    void this.#loader.run();
    this.agenda.resume();
  }

  get unsent(): number {
    return this.agenda.unsent;
  }

  flush(): Promise<void> {
    return this.agenda.flush();
  }

  retry(): void {
    this.problem = undefined;
    this.#connection.connect();
    void this.#loader.run();
  }

  dispose(): void {
    this.#stopTick?.();
    this.#stopMeasuring?.();
    this.undo.close();
    this.alerts.dispose();
    this.#loader.stop();
    this.agenda.dispose();
    this.#client.dispose();
  }

  // The timer

  startTimer(body: Omit<StartBody, 'timerId'>): Promise<void> {
    const timerId = this.#environment.randomId();
    return this.#command(() => this.#api.start({ ...body, timerId }));
  }

  command(command: TimerCommand): Promise<void> {
    const { timer } = this;
    return timer ? this.#send(command, timer.id) : Promise.resolve();
  }

  #send(command: TimerCommand, timerId: string): Promise<void> {
    return this.#command(() => this.#api.command(command, timerId));
  }

  /** Waits for the running command first, so that a key press during it is not lost. */
  async togglePause(): Promise<void> {
    while (this.isBusy) await this.#running;
    if (this.look === 'running' || this.look === 'break') return this.command('pause');
    return this.look === 'paused' ? this.command('resume') : Promise.resolve();
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
      if (event.type === 'stopped') {
        this.#stopped(event.payload, event.sourceDeviceId);
        if (event.payload.outcome === 'plannedEnd')
          this.#alert(endOfTimer(event.payload), event.payload.endedAt);
        return;
      }
      const { timer } = event.payload;
      this.#take(timer, timer.version);
      if (event.type === 'updated' && event.payload.change === 'phase')
        this.#alert(endBefore(timer), timer.asOf);
    });
    connection.on('tasks', (event) => {
      this.clock.atLeast(event.timestamp);
      this.agenda.onTask(event);
    });
    connection.on('calendar', (event) => {
      this.clock.atLeast(event.timestamp);
      this.agenda.onEntry(event);
    });
    connection.on('settings', (event) => this.lengths.take(event.payload));
    connection.on('devices', (event) => this.#renamed(event.payload));
    connection.onReset(() => void this.#loader.run());
    connection.onState((next, previous) => {
      if (next.name === 'signedOut') this.#options.onSignedOut();
      if (next.name === 'closed' && next.problem) this.problem = next.problem;
      if (next.name !== 'live' || previous.name === 'live') return;
      void this.#loader.run();
      this.agenda.resume();
    });
  }

  #take(timer: Timer | null, version: number): void {
    // The answer to a command, its event and a concurrent request may arrive in any order: keep the newest.
    if (version < this.#timerVersion) return;
    if (version > this.#timerVersion && !timer) this.finished++;
    this.#timerVersion = version;
    if (timer && timer.deviceName !== this.timer?.deviceName) this.#loadDevices().catch(ignore);
    this.timer = timer;
    this.#scheduleTick();
  }

  /** Alerts of a phase that ended at a time of the server. Ends that a sleeping device missed are not alerted. */
  #alert(end: PhaseEnd, at: string): void {
    if (this.clock.now() - Date.parse(at) < RECENT_MS) this.alerts.report(end);
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

  #command(send: () => Promise<TimerAnswer>): Promise<void> {
    if (!this.isBusy) {
      this.isBusy = true;
      this.#running = this.#run(send);
    }
    return this.#running;
  }

  async #run(send: () => Promise<TimerAnswer>): Promise<void> {
    try {
      const { timer, version, session } = await this.clock.measure(send);
      this.#take(timer, version);
      if (session?.outcome === 'cancelled')
        this.undo.offer(
          `“${session.taskTitle}” was cancelled.`,
          () => void this.#send('restore', session.id),
        );
      else if (session)
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
      if (!isTemporary(problem)) this.#loadTimer().catch(ignore);
    } finally {
      this.isBusy = false;
    }
  }

  async #loadTimer(signal?: AbortSignal): Promise<void> {
    const { timer, version } = await this.clock.measure(() => this.#api.timer(signal));
    this.#take(timer, version);
  }

  async #loadDevices(signal?: AbortSignal): Promise<void> {
    this.devices = await this.#api.devices(signal);
  }

  #renamed({ deviceId, name }: Pick<Device, 'deviceId' | 'name'>): void {
    this.devices = this.devices.map((device) =>
      device.deviceId === deviceId ? { ...device, name } : device,
    );
    if (this.timer?.deviceId === deviceId) this.timer = { ...this.timer, deviceName: name };
  }

  // Time

  /** Schedules the next tick for the moment when the displayed text changes, so that all seconds have equal length. */
  #scheduleTick(): void {
    this.#stopTick?.();
    this.#tick++;
    // Also without a connection the phase ends here.
    if (this.timer && this.timer.status !== 'paused' && this.face?.secondsLeft === 0)
      this.alerts.report(endAfter(this.timer));
    const isCounting = this.timer !== null && this.timer.status !== 'paused';
    const untilChange = isCounting
      ? 1000 -
        ((((this.clock.now() - Date.parse(this.timer!.asOf) - this.timer!.remainingMs) % 1000) + 1000) % 1000)
      : 30_000;
    this.#stopTick = this.#environment.setTimer(untilChange + 4, () => this.#scheduleTick());
  }

  #scheduleMeasuring(): void {
    this.#stopMeasuring = this.#environment.setTimer(MEASURE_MS, () => {
      if (this.#connection.isConnected()) this.#loadTimer().catch(ignore);
      this.#scheduleMeasuring();
    });
  }

  #tell(problem: Problem, what: string, typed?: string): void {
    if (problem.kind === 'signedOut') return;
    const detail = problem.detail?.['detail'];
    const told = typeof detail === 'string' ? detail : problem.title;
    const why = problem.kind === 'network' ? 'the server cannot be reached' : told;
    this.#options.notify(`${what}: ${why}`, 'error', typed);
  }
}
