import { inspect } from 'node:util';

/** Waits until a condition holds. Fails with the last observed value. */
export async function until(what: string, holds: () => unknown, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  let last: unknown;
  while (performance.now() < end) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Never came: ${what}${last === undefined ? '' : ` (${inspect(last)})`}`);
}
