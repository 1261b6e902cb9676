import { Checks, type Violation } from './checks';
import type { Action } from './members';
import { LEVEL, World, type Step } from './world';

/** Actions to interleave with everything that the tabs do. The actions of one thread keep their order. */
export interface Scenario {
  readonly name: string;
  /** Without Web Locks the tabs elect by messages. */
  readonly isSecure?: boolean;
  readonly maxTopics?: number;
  /** Happens first and in the default order; not explored. */
  readonly before: readonly Action[];
  readonly threads: readonly (readonly Action[])[];
}

/** A departure from the default order before step `at`: run another step, or hold a queue back until nothing else can run. */
export interface Deviation {
  readonly at: number;
  readonly kind: 'run' | 'hold';
  readonly key: string;
}

export interface Outcome {
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  readonly steps: number;
}

/** Decides at each explored step. Returns false to stop the run, because the state is known. */
export interface Strategy {
  next(state: () => string, steps: readonly Step[], at: number): Deviation | undefined | false;
}

/** More explored or closing steps than any run needs: tabs that never rest have a livelock. */
const MAX_STEPS = 2500;
/** Longer than a stolen lead takes: four silent beats, an election, and a beat to ask again. */
const REPAIR_MS = 45_000;
/** Longer than the waits of an election by messages. Without an end, two leaders would wait for the same message for ever. */
const HOLD_MS = 1000;

/** Returns the strategy that follows a list of deviations. */
export function follow(deviations: readonly Deviation[]): Strategy {
  return { next: (_, __, at) => deviations.find((deviation) => deviation.at === at) };
}

/** One run of a scenario, from an empty browser to rest. */
export class Run {
  readonly #scenario: Scenario;
  readonly #isTracing: boolean;
  readonly #world: World;
  readonly #checks: Checks;
  readonly #trace: string[] = [];
  readonly #histories = new Map<string, History>();
  readonly #threads: { next: number; since: number }[];
  /** Queues that are held back, and until when. */
  readonly #held = new Map<string, number>();
  #steps = 0;

  constructor(scenario: Scenario, isTracing = false) {
    this.#scenario = scenario;
    this.#isTracing = isTracing;
    this.#world = new World(scenario.isSecure ?? true);
    this.#checks = new Checks(this.#world, scenario.maxTopics);
    this.#threads = scenario.threads.map(() => ({ next: 0, since: 0 }));
  }

  async execute(strategy: Strategy): Promise<Outcome> {
    try {
      await this.#explore(strategy);
    } catch (error) {
      this.#checks.fail('errors', String(error));
    }
    const { violation } = this.#checks;
    return { violation, trace: this.#trace, steps: this.#steps };
  }

  async #explore(strategy: Strategy): Promise<void> {
    for (const action of this.#scenario.before) {
      await this.#act(action);
      await this.#rest(LEVEL.soon);
    }
    for (const thread of this.#threads) thread.since = this.#world.clock;
    for (let at = 0; !this.#isOver; at++) {
      const steps = this.#order();
      if (this.#isDone && (steps[0]?.level ?? LEVEL.idle) === LEVEL.idle) break;
      const choice = strategy.next(() => this.#state, steps, at);
      if (choice === false) return;
      if (choice)
        this.#trace.push(
          `       ${choice.kind === 'hold' ? 'from now on hold' : 'instead of the next step run'} ${choice.key}`,
        );
      if (choice?.kind === 'hold') this.#held.set(choice.key, this.#world.clock + HOLD_MS);
      const wanted = choice?.kind === 'run' ? steps.find(({ key }) => key === choice.key) : undefined;
      await this.#take(wanted ?? (choice ? this.#order() : steps)[0]!);
    }
    await this.#close();
  }

  // The world stops to interfere: everything must heal by itself, and the last events must arrive.
  async #close(): Promise<void> {
    this.#trace.push('      the scenario is over');
    this.#held.clear();
    for (const tab of [...this.#world.tabs.values()]) {
      if (!tab.isFrozen) continue;
      await this.#act({ do: 'restore', tab: tab.name });
    }
    await this.#rest(LEVEL.soon);
    if (!this.#isOver && !this.#checks.mayNeedBeat) this.#checks.atRest('prompt');
    if (!this.#checks.isWell) await this.#until(this.#world.clock + REPAIR_MS);
    for (const [user, topics] of this.#subscriptions)
      for (const topic of topics) {
        await this.#act({ do: 'publish', topic, user });
        await this.#rest(LEVEL.soon);
      }
    if (!this.#isOver && !this.#checks.mayNeedBeat) this.#checks.atRest('prompt');
    if (!this.#checks.isWell) await this.#until(this.#world.clock + REPAIR_MS);
    if (!this.#isOver) this.#checks.atRest('live');
  }

  get #subscriptions(): Map<string, Set<string>> {
    const all = new Map<string, Set<string>>();
    for (const { user, topics } of this.#checks.cast.members.values())
      all.set(user, new Set([...(all.get(user) ?? []), ...topics]));
    return all;
  }

  get #isOver(): boolean {
    if (this.#steps > MAX_STEPS) this.#checks.fail('rest', `${MAX_STEPS} steps were not enough`);
    return this.#checks.violation !== undefined;
  }

  get #isDone(): boolean {
    return this.#threads.every((thread, index) => thread.next >= this.#scenario.threads[index]!.length);
  }

  async #rest(level: number): Promise<void> {
    while (!this.#isOver) {
      const [step] = this.#order();
      if (!step || step.level > level) return;
      await this.#take(step);
    }
  }

  async #until(time: number): Promise<void> {
    while (!this.#isOver && this.#world.clock < time) await this.#take(this.#order()[0]!);
    await this.#rest(LEVEL.soon);
  }

  /** The steps that can run, in the default order: deliveries, short timers, actions, held queues, long timers. */
  #order(): Step[] {
    const { clock } = this.#world;
    const steps = this.#world.steps().map((step) => {
      const until = this.#held.get(step.key);
      return until !== undefined && until > clock
        ? { ...step, level: Math.max(step.level, LEVEL.held) }
        : step;
    });
    for (const [index, thread] of this.#threads.entries()) {
      const actions = this.#scenario.threads[index]!;
      const action = actions[thread.next];
      if (!action) continue;
      const time = action.do === 'wait' ? thread.since + action.ms : 0;
      const run = () => {
        this.#world.clock = Math.max(clock, time);
        thread.next++;
        thread.since = this.#world.clock;
        this.#perform(action);
      };
      const tab = this.#checks.cast.tabOf(action);
      const level = time > clock ? LEVEL.idle : LEVEL.action;
      steps.push({ key: `action ${index}`, level, time, label: () => describe(action), tab, run });
    }
    // Stable, so that the order within a level is that of the world. Timers go by their times.
    return steps.sort(
      (one, other) => one.level - other.level || one.time - other.time || compare(one.key, other.key),
    );
  }

  #act(action: Action): Promise<void> {
    return this.#take({
      key: 'action',
      level: LEVEL.action,
      time: 0,
      label: () => describe(action),
      tab: this.#checks.cast.tabOf(action),
      run: () => this.#perform(action),
    });
  }

  #perform(action: Action): void {
    if (!this.#checks.cast.canRun(action)) return;
    this.#checks.onAction(action);
    this.#checks.cast.run(action);
  }

  async #take(step: Step): Promise<void> {
    this.#steps++;
    const label = step.label();
    if (this.#isTracing) this.#trace.push(`${String(this.#world.clock).padStart(6)} ${label}`);
    step.run();
    const { clock } = this.#world;
    // The code of a tab depends on its inputs and on the time at which each arrived, and on nothing else.
    if (step.tab !== undefined) {
      const history = this.#histories.get(step.tab) ?? new History();
      this.#histories.set(step.tab, history);
      history.add(`${label}@${clock}`);
    }
    // All promise jobs of the tab, as a browser runs them before its next task.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#checks.afterStep();
  }

  get #state(): string {
    const { clock, state } = this.#world;
    const threads = this.#threads.map(({ next, since }) => `${next}@${since}`).join();
    const histories = [...this.#histories].map(([name, history]) => `${name}${history.value}`).sort();
    const whole = new History();
    whole.add(
      [
        clock,
        state,
        threads,
        [...this.#held]
          .map(([key, until]) => `${key}@${until}`)
          .sort()
          .join(),
        ...histories,
      ].join('|'),
    );
    return whole.value;
  }
}

/** A hash of 64 bits over the inputs of a tab, in their order. */
class History {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  add(text: string): void {
    let [low, high] = [this.#low, this.#high];
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 13);
    }
    this.#low = Math.imul(low ^ 0x5bd1e995, 0x01000193);
    this.#high = Math.imul(high ^ (low >>> 16), 0xc2b2ae35);
  }

  get value(): string {
    return `${(this.#low >>> 0).toString(36)}.${(this.#high >>> 0).toString(36)}`;
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

export function describe({ do: what, ...rest }: Action): string {
  return `${what} ${Object.values(rest).flat().join(' ')}`.trim();
}
