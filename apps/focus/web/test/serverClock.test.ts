import { describe, expect, test } from 'vitest';
import { ServerClock } from '../src/state/serverClock';

/** The page's clock and a server clock. */
class Bench {
  page = 1_000;
  server = 1_800_000_000_000;
  readonly clock = new ServerClock({ now: () => this.page });

  pass(milliseconds: number): void {
    this.page += milliseconds;
    this.server += milliseconds;
  }

  async measure(there: number, back: number): Promise<void> {
    await this.clock.measure(async () => {
      this.pass(there);
      const serverNow = new Date(this.server).toISOString();
      this.pass(back);
      return { serverNow };
    });
  }

  get error(): number {
    return this.clock.now() - this.server;
  }
}

describe('The server clock', () => {
  test('errs by at most half the round trip and prefers better measurements', async () => {
    const bench = new Bench();
    await bench.measure(400, 0);
    expect(Math.abs(bench.error)).toBeLessThanOrEqual(200);
    await bench.measure(5, 5);
    expect(Math.abs(bench.error)).toBeLessThanOrEqual(1);
    await bench.measure(0, 300);
    expect(Math.abs(bench.error)).toBeLessThanOrEqual(1);
  });

  test('does not drift within a day', async () => {
    const bench = new Bench();
    await bench.measure(10, 10);
    bench.pass(86_400_000);
    expect(Math.abs(bench.error)).toBeLessThanOrEqual(1);
  });

  test('replaces an old measurement and follows a server clock that was set', async () => {
    const bench = new Bench();
    await bench.measure(1, 1);
    // Meanwhile the page's clock lost 300 ms.
    bench.pass(11 * 60_000);
    bench.server += 300;
    await bench.measure(20, 20);
    expect(Math.abs(bench.error)).toBeLessThanOrEqual(20);
    bench.server -= 3_600_000;
    await bench.measure(50, 50);
    expect(Math.abs(bench.error)).toBeLessThanOrEqual(50);
  });

  test('is never before an event that has happened', async () => {
    const bench = new Bench();
    await bench.measure(10, 10);
    bench.clock.atLeast(new Date(bench.server + 5_000).toISOString());
    expect(bench.clock.now()).toBeGreaterThanOrEqual(bench.server + 5_000);
    bench.clock.atLeast(new Date(bench.server - 5_000).toISOString());
    bench.clock.atLeast(undefined);
    expect(bench.clock.now()).toBeGreaterThanOrEqual(bench.server + 5_000);
  });
});
