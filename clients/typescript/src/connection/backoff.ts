/** Upper ends of the waits between attempts, in milliseconds; the last one repeats for ever. */
export const BACKOFF_MS: readonly number[] = [1000, 2000, 4000, 8000, 16000, 30000];

/**
 * The wait after `attempt` failed attempts, with full jitter: uniform between zero and the upper end, so that the
 * clients of a server that went away do not come back together.
 */
export function backoffMs(attempt: number, random: number): number {
  const upper = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)]!;
  return Math.round(random * upper);
}
