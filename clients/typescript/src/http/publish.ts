import { backoffMs } from '../connection/backoff.js';
import type { Environment } from '../environment.js';
import { isTemporary, problemOf } from './problem.js';
import type { Requests } from './requests.js';

export interface PublishedEvent {
  readonly topic: string;
  readonly type: string;
  readonly data: unknown;
  readonly transient?: boolean | undefined;
  readonly idempotencyKey?: string | undefined;
}

const ATTEMPTS = 6;

/** Publishes one event. The same key makes a repeated request harmless: the first one may have been carried out. */
export async function publish(
  requests: Requests,
  environment: Environment,
  event: PublishedEvent,
): Promise<{ positions: string[] }> {
  // A late transient event is worse than none.
  const attempts = event.transient ? 1 : ATTEMPTS;
  const body = event.transient ? event : { idempotencyKey: environment.randomId(), ...event };
  for (let attempt = 0; ; attempt++) {
    try {
      return (await requests.send<{ positions: string[] }>('POST', '/dunlin/v1/events', { body })).body;
    } catch (error) {
      const problem = problemOf(error);
      if (!isTemporary(problem) || attempt + 1 === attempts) throw error;
      const after = 'retryAfterMs' in problem ? problem.retryAfterMs : undefined;
      const random = environment.random();
      const delay = after === undefined ? backoffMs(attempt, random) : after + Math.round(random * 1000);
      await new Promise<void>((resolve) => environment.setTimer(delay, resolve));
    }
  }
}
