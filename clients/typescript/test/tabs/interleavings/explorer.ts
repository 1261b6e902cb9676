import type { Random } from '../../support/random';
import type { Violation } from './checks';
import type { Action } from './members';
import { follow, Run, type Deviation, type Outcome, type Scenario } from './run';

export interface Exploration {
  /** Runs of the scenario, each from the start. */
  readonly schedules: number;
  /** Different states, each checked once. */
  readonly states: number;
  readonly steps: number;
  /** Whether all schedules with at most `bound` deviations were explored. */
  readonly isComplete: boolean;
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly scenario: Scenario;
  readonly deviations: readonly Deviation[];
  readonly violation: Violation;
  readonly trace: readonly string[];
}

/**
 * Explores all schedules that depart from the default order at most `bound` times, with fewer deviations first. A state consists of the
 * inputs of each tab in their order, and of everything under way. The explorer skips a state that it knows with as many deviations left.
 */
export async function explore(scenario: Scenario, bound: number, limit = Infinity): Promise<Exploration> {
  const known = new Map<string, number>();
  let waiting: (readonly Deviation[])[] = [[]];
  let [schedules, steps] = [0, 0];
  for (let level = 0; level <= bound && waiting.length > 0; level++) {
    const further: (readonly Deviation[])[] = [];
    for (const deviations of waiting) {
      if (schedules >= limit)
        return { schedules, steps, states: known.size, isComplete: false, failure: undefined };
      const left = bound - deviations.length;
      const from = deviations.length === 0 ? 0 : deviations[deviations.length - 1]!.at + 1;
      const outcome = await new Run(scenario).execute({
        next: (state, enabled, at) => {
          if (at < from) return deviations.find((deviation) => deviation.at === at);
          const key = state();
          if ((known.get(key) ?? -1) >= left) return false;
          known.set(key, left);
          if (left === 0) return undefined;
          for (const [index, step] of enabled.entries()) {
            if (index > 0) further.push([...deviations, { at, kind: 'run', key: step.key }]);
            if (enabled.length > 1 && index === 0)
              further.push([...deviations, { at, kind: 'hold', key: step.key }]);
          }
          return undefined;
        },
      });
      schedules++;
      steps += outcome.steps;
      if (outcome.violation) {
        const failure = await shrink(scenario, deviations, outcome);
        return { schedules, steps, states: known.size, isComplete: false, failure };
      }
    }
    waiting = further;
  }
  return { schedules, steps, states: known.size, isComplete: true, failure: undefined };
}

/** One random schedule. `rate`: how often it departs from the default order. */
export async function walk(
  scenario: Scenario,
  random: Random,
  rate: number,
): Promise<Outcome & { failure: Failure | undefined }> {
  const deviations: Deviation[] = [];
  const outcome = await new Run(scenario).execute({
    next: (_, enabled, at) => {
      if (enabled.length < 2 || random.next() >= rate) return undefined;
      const deviation: Deviation = {
        at,
        kind: random.below(4) === 0 ? 'hold' : 'run',
        key: random.pick(enabled).key,
      };
      deviations.push(deviation);
      return deviation;
    },
  });
  const failure = outcome.violation ? await shrink(scenario, deviations, outcome) : undefined;
  return { ...outcome, failure };
}

/** Removes deviations and actions one by one, as long as the same invariant fails. */
export async function shrink(
  scenario: Scenario,
  deviations: readonly Deviation[],
  { violation }: Outcome,
): Promise<Failure> {
  // Again, with a trace. The same invariant must fail: nothing outside of the schedule may decide.
  const { trace, violation: again } = await new Run(scenario, true).execute(follow(deviations));
  if (again?.message !== violation!.message)
    throw new Error(`The schedule does not repeat: ${violation!.message}; then ${again?.message}.`);
  let best: Failure = { scenario, deviations, violation: again, trace };
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    for (const candidate of smaller(best)) {
      const outcome = await new Run(candidate.scenario, true).execute(follow(candidate.deviations));
      if (outcome.violation?.invariant !== best.violation.invariant) continue;
      best = { ...candidate, violation: outcome.violation, trace: outcome.trace };
      hasShrunk = true;
      break;
    }
  }
  return best;
}

function* smaller({
  scenario,
  deviations,
}: Failure): Generator<{ scenario: Scenario; deviations: readonly Deviation[] }> {
  const { before, threads } = scenario;
  // Halves first: a random walk has many deviations.
  for (let size = Math.ceil(deviations.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < deviations.length; start += size)
      yield { scenario, deviations: [...deviations.slice(0, start), ...deviations.slice(start + size)] };
  }
  const scenarios = [
    ...without(before).map((shorter) => ({ ...scenario, before: shorter })),
    ...threads.flatMap((thread, index) =>
      without(thread).map((shorter) => ({
        ...scenario,
        threads: threads.map((each, other) => (other === index ? shorter : each)),
      })),
    ),
  ];
  // Without an action, the deviations after it happen one step earlier.
  for (const shorter of scenarios)
    for (let kept = deviations.length; kept >= 0; kept--) {
      const earlier = deviations.slice(kept).map((deviation) => ({ ...deviation, at: deviation.at - 1 }));
      yield { scenario: shorter, deviations: [...deviations.slice(0, kept), ...earlier] };
    }
}

function without(actions: readonly Action[]): (readonly Action[])[] {
  return actions.map((_, index) => actions.filter((__, other) => other !== index));
}

/** Describes a failing schedule, so that a reader can follow it and repeat it. */
export function report({ scenario, deviations, violation, trace }: Failure): string {
  return [
    `${violation.message}`,
    `Scenario: ${JSON.stringify(scenario)}`,
    `Deviations: ${JSON.stringify(deviations)}`,
    ...trace,
  ].join('\n');
}
