/** Upper bounds of the delays between attempts, in milliseconds. The last one repeats. */
export const BACKOFF_MS: readonly number[] = [1000, 2000, 4000, 8000, 16000, 30000];

/**
 * Returns the delay in milliseconds after `attempt` failed attempts, with full jitter: uniform between 0 and the upper bound. Jitter
 * spreads the reconnects of all clients after a server restart.
 */
export function backoffMs(attempt: number, random: number): number {
  const upper = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)]!;
  return Math.round(random * upper);
}
