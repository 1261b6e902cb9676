import { beforeEach, describe, expect, test } from 'vitest';
import { DunlinError, type Problem } from '../../src/http/problem';
import { LeaseLost, type Lease } from '../../src/leases/lease';
import { Leases } from '../../src/leases/leases';
import type {
  AcquireAnswer,
  AcquireRequest,
  HeldLease,
  LeaseGrant,
  LeaseTransport,
  PreemptRequest,
} from '../../src/leases/transport';
import { settle } from '../support/clock';
import { FakeEnvironment } from '../support/fakeEnvironment';

let environment: FakeEnvironment;
let server: FakeLeaseServer;
let leases: Leases;

const problem = (kind: Problem['kind'], more: object = {}) =>
  new DunlinError({ kind, code: kind, title: kind, ...more } as Problem);

class FakeLeaseServer implements LeaseTransport {
  readonly acquires: AcquireRequest[] = [];
  readonly preemptions: PreemptRequest[] = [];
  readonly renewals: HeldLease[] = [];
  readonly releases: { resource: string; leaseId: string; keepalive: boolean }[] = [];
  readonly handOffs: (string | undefined)[] = [];
  onAcquire: (request: AcquireRequest) => AcquireAnswer | Promise<AcquireAnswer> = (request) => ({
    status: 'granted',
    grant: grantOf(request.leaseId, request.seconds),
  });
  onPreempt: (request: PreemptRequest) => AcquireAnswer | Promise<AcquireAnswer> = () => ({
    status: 'queued',
    position: 1,
  });
  onRenew: (lease: HeldLease, signal: AbortSignal) => LeaseGrant | undefined | Promise<LeaseGrant> = (
    lease,
  ) => grantOf(lease.leaseId, lease.seconds);

  async acquire(request: AcquireRequest) {
    this.acquires.push(request);
    return this.onAcquire(request);
  }
  async preempt(request: PreemptRequest) {
    this.preemptions.push(request);
    return this.onPreempt(request);
  }
  async renew(lease: HeldLease, signal: AbortSignal) {
    this.renewals.push(lease);
    return this.onRenew(lease, signal);
  }
  async release({ resource, leaseId }: HeldLease, { keepalive }: { keepalive: boolean }) {
    this.releases.push({ resource, leaseId, keepalive });
  }
  async handOff(_lease: HeldLease, to: string | undefined) {
    this.handOffs.push(to);
  }
}

function grantOf(leaseId: string, seconds: number, left = seconds): LeaseGrant {
  const serverNow = Date.UTC(2030, 0, 1);
  const expiresAt = new Date(serverNow + left * 1000).toISOString();
  return { leaseId, seconds, fence: 41, serverNow: new Date(serverNow).toISOString(), expiresAt };
}

function reasonOf(lease: Lease): string | undefined {
  return lease.lost.aborted ? (lease.lost.reason as LeaseLost).reason : undefined;
}

beforeEach(() => {
  environment = new FakeEnvironment();
  server = new FakeLeaseServer();
  leases = new Leases(server, environment);
});

async function acquired(seconds = 30): Promise<Lease> {
  const result = await leases.tryAcquire('cases/1/name', { seconds });
  if (result.status !== 'acquired') throw new Error('expected the lease');
  return result.lease;
}

describe('Acquiring', () => {
  test('a granted lease has its fencing token and is held', async () => {
    const lease = await acquired();
    expect(lease.fence).toBe(41);
    expect(lease.isHeld).toBe(true);
    expect(leases.held.has(lease)).toBe(true);
  });

  test('a held resource reports its holder', async () => {
    server.onAcquire = () => ({ status: 'held', holder: { owner: { name: 'Bob' } } });
    const result = await leases.tryAcquire('cases/1/name');
    expect(result).toEqual({ status: 'held', holder: { owner: { name: 'Bob' } } });
  });

  test('a request with a lost reply is repeated with the same lease id', async () => {
    server.onAcquire = (request) => {
      if (server.acquires.length < 3) throw problem('network');
      return { status: 'granted', grant: grantOf(request.leaseId, 30) };
    };
    const lease = acquired();
    await environment.clock.advance(1250);
    expect((await lease).isHeld).toBe(true);
    expect(new Set(server.acquires.map((request) => request.leaseId)).size).toBe(1);
    expect(server.acquires).toHaveLength(3);
  });

  test('a lease with an unknown outcome is released', async () => {
    server.onAcquire = () => Promise.reject(problem('network'));
    const outcome = acquired().catch((error: DunlinError) => error.kind);
    await environment.clock.advance(10_000);
    expect(await outcome).toBe('network');
    expect(server.releases).toMatchObject([{ leaseId: server.acquires[0]!.leaseId }]);
  });

  test('two leases of one tab have different ids', async () => {
    await acquired();
    await acquired();
    expect(new Set(server.acquires.map((request) => request.leaseId)).size).toBe(2);
  });

  test('a waiter repeats its request with the same id until it is granted', async () => {
    server.onAcquire = (request) =>
      server.acquires.length < 3
        ? { status: 'queued', position: 1 }
        : { status: 'granted', grant: grantOf(request.leaseId, 30) };
    const lease = leases.acquire('cases/1/name');
    await environment.clock.advance(4000);
    expect((await lease).isHeld).toBe(true);
    expect(server.acquires.map((request) => request.wait)).toEqual([true, true, true]);
    expect(new Set(server.acquires.map((request) => request.leaseId)).size).toBe(1);
  });

  test('a waiter repeats its request at once after a release', async () => {
    server.onAcquire = (request) =>
      server.acquires.length < 2
        ? { status: 'queued', position: 1 }
        : { status: 'granted', grant: grantOf(request.leaseId, 30) };
    const lease = leases.acquire('cases/1/name');
    await settle();
    leases.notify('cases/1/name');
    expect((await lease).isHeld).toBe(true);
  });

  test('a waiter that stops leaves the queue', async () => {
    server.onAcquire = () => ({ status: 'queued', position: 1 });
    const abort = new AbortController();
    const outcome = leases
      .acquire('cases/1/name', { signal: abort.signal })
      .catch((error: DunlinError) => error.kind);
    await settle();
    abort.abort();
    expect(await outcome).toBe('aborted');
    expect(server.releases).toMatchObject([{ leaseId: server.acquires[0]!.leaseId }]);
    expect(environment.clock.pending).toEqual([]);
  });
});

describe('Leases of other pages', () => {
  test('a lease is released and renewed by its id', async () => {
    await leases.release('doc/1', 'lease-of-another');
    expect(server.releases).toEqual([{ resource: 'doc/1', leaseId: 'lease-of-another', keepalive: false }]);
    const held = { resource: 'doc/1', leaseId: 'lease-of-another', fence: 7, seconds: 30 };
    expect((await leases.renew(held))?.leaseId).toBe('lease-of-another');
    expect(server.renewals).toEqual([held]);
  });

  test('an own lease that is released by its id is lost', async () => {
    const lease = await leases.acquire('doc/1');
    await leases.release('doc/1', lease.leaseId);
    expect(lease.lost.aborted).toBe(true);
    expect(leases.held.size).toBe(0);
    expect(server.releases).toHaveLength(1);
  });

  test('a refused renewal rejects with its reason', async () => {
    server.onRenew = () => Promise.reject(problem('lost'));
    const held = { resource: 'doc/1', leaseId: 'lease-of-another', fence: 7, seconds: 30 };
    await expect(leases.renew(held)).rejects.toMatchObject({ problem: { kind: 'lost' } });
  });
});

describe('Validity', () => {
  test('a lease is renewed after a third of its duration', async () => {
    const lease = await acquired(30);
    await environment.clock.advance(9_999);
    expect(server.renewals).toHaveLength(0);
    await environment.clock.advance(1);
    expect(server.renewals).toMatchObject([{ leaseId: lease.leaseId, fence: 41 }]);
    await environment.clock.advance(600_000);
    expect(lease.isHeld).toBe(true);
    expect(server.renewals).toHaveLength(61);
  });

  test('the duration of the request reduces the validity', async () => {
    let answer!: (answer: AcquireAnswer) => void;
    server.onAcquire = () => new Promise((resolve) => (answer = resolve));
    const asked = acquired(30);
    await environment.clock.advance(8000);
    answer({ status: 'granted', grant: grantOf(server.acquires[0]!.leaseId, 30) });
    expect((await asked).validForMs).toBe(22_000);
  });

  test('a repeated grant is valid for its remaining time with a wrong clock', async () => {
    server.onAcquire = (request) => ({ status: 'granted', grant: grantOf(request.leaseId, 30, 12) });
    expect((await acquired(30)).validForMs).toBe(12_000);
  });

  test('a renewal with an unknown outcome does not extend the lease', async () => {
    const lease = await acquired(30);
    server.onRenew = () => Promise.reject(problem('network'));
    await environment.clock.advance(29_999);
    expect(lease.isHeld).toBe(true);
    expect(server.renewals.length).toBeGreaterThan(3);
    await environment.clock.advance(1);
    expect(lease.isHeld).toBe(false);
    expect(reasonOf(lease)).toBe('expired');
  });

  test('a renewal without an answer lets the lease expire on time', async () => {
    const lease = await acquired(30);
    let cut = false;
    server.onRenew = (_lease, signal) => {
      signal.addEventListener('abort', () => (cut = true));
      return new Promise(() => {});
    };
    await environment.clock.advance(30_000);
    expect(reasonOf(lease)).toBe('expired');
    expect(cut).toBe(true);
  });

  test('a renewal counts from its request', async () => {
    const lease = await acquired(30);
    let answer!: (grant: LeaseGrant) => void;
    server.onRenew = () => new Promise((resolve) => (answer = resolve));
    await environment.clock.advance(15_000);
    answer(grantOf(lease.leaseId, 30));
    await settle();
    expect(lease.validForMs).toBe(25_000);
  });

  test('a lease continues after an unknown and a successful renewal', async () => {
    const lease = await acquired(30);
    server.onRenew = () => Promise.reject(problem('busy'));
    await environment.clock.advance(20_000);
    server.onRenew = ({ leaseId }) => grantOf(leaseId, 30);
    await environment.clock.advance(60_000);
    expect(lease.isHeld).toBe(true);
  });

  test('a lease that expired during sleep is lost without a request', async () => {
    const lease = await acquired(30);
    environment.clock.now += 3_600_000;
    expect(lease.isHeld).toBe(false);
    await environment.clock.advance(0);
    expect(reasonOf(lease)).toBe('expired');
    expect(server.renewals).toHaveLength(0);
  });

  for (const reason of ['expired', 'taken', 'handedOff', 'released', 'unknown'] as const) {
    test(`a renewal refused as "${reason}" ends the lease with that reason`, async () => {
      const lease = await acquired(30);
      server.onRenew = () => Promise.reject(problem('lost', { reason }));
      await environment.clock.advance(10_000);
      expect(reasonOf(lease)).toBe(reason);
      expect(leases.held.size).toBe(0);
      expect(environment.clock.pending).toEqual([]);
    });
  }

  test('a renewal refused for another reason ends the lease too', async () => {
    const lease = await acquired(30);
    server.onRenew = () => Promise.reject(problem('signedOut'));
    await environment.clock.advance(10_000);
    expect(reasonOf(lease)).toBe('unknown');
  });
});

describe('Ending', () => {
  test('release waits for held promises and renews meanwhile', async () => {
    const lease = await acquired(30);
    let saved!: () => void;
    void lease.hold(new Promise<void>((resolve) => (saved = resolve)));
    const released = lease.release();
    await environment.clock.advance(25_000);
    expect(server.releases).toEqual([]);
    expect(server.renewals).toHaveLength(2);
    saved();
    await released;
    expect(server.releases).toMatchObject([{ leaseId: lease.leaseId, keepalive: false }]);
    expect(reasonOf(lease)).toBe('released');
  });

  test('release waits for promises added meanwhile and ignores failed saves', async () => {
    const lease = await acquired(30);
    let fail!: (error: Error) => void;
    let saved!: () => void;
    lease.hold(new Promise((_resolve, reject) => (fail = reject))).catch(() => {});
    const released = lease.release();
    void lease.hold(new Promise<void>((resolve) => (saved = resolve)));
    fail(new Error('refused'));
    await settle();
    expect(server.releases).toEqual([]);
    saved();
    await released;
    expect(server.releases).toHaveLength(1);
  });

  test('a waiting release ends when the lease is lost', async () => {
    const lease = await acquired(30);
    void lease.hold(new Promise(() => {}));
    const released = lease.release();
    server.onRenew = () => Promise.reject(problem('lost', { reason: 'taken' }));
    await environment.clock.advance(10_000);
    await released;
    expect(reasonOf(lease)).toBe('taken');
    expect(server.releases).toEqual([]);
  });

  test('repeated calls send one release', async () => {
    const lease = await acquired();
    await Promise.all([lease.release(), lease.release()]);
    await lease.release();
    expect(server.releases).toHaveLength(1);
  });

  test('a page that unloads releases with keepalive', async () => {
    const lease = await acquired();
    environment.signal('pagehide');
    expect(server.releases).toMatchObject([{ leaseId: lease.leaseId, keepalive: true }]);
    expect(reasonOf(lease)).toBe('released');
  });

  test('a page that unloads does not release during a pending save', async () => {
    const lease = await acquired();
    void lease.hold(new Promise(() => {}));
    environment.signal('pagehide');
    expect(server.releases).toEqual([]);
    expect(lease.isHeld).toBe(true);
  });

  test('a handed-off lease is lost locally', async () => {
    const lease = await acquired();
    await lease.handOff('bob');
    expect(server.handOffs).toEqual(['bob']);
    expect(reasonOf(lease)).toBe('handedOff');
    expect(environment.clock.pending).toEqual([]);
  });

  test('an event ends the lease', async () => {
    const lease = await acquired();
    lease.markLost('taken');
    expect(reasonOf(lease)).toBe('taken');
    await lease.release();
    expect(server.releases).toEqual([]);
  });
});

describe('A preemption', () => {
  const options = { reason: 'Closing the file', graceSeconds: 5 };

  test('without a grace period returns the lease', async () => {
    server.onPreempt = ({ leaseId, seconds }) => ({ status: 'granted', grant: grantOf(leaseId, seconds) });
    const lease = await leases.preempt('files/1', { reason: 'Closing the file' });
    expect(lease.isHeld).toBe(true);
    expect(server.preemptions).toMatchObject([
      { resource: 'files/1', reason: 'Closing the file', graceSeconds: 0 },
    ]);
    expect(server.acquires).toEqual([]);
  });

  test('waits for the end of the grace period with the same lease id', async () => {
    let held = true;
    server.onAcquire = ({ leaseId, seconds }) =>
      held ? { status: 'queued', position: 1 } : { status: 'granted', grant: grantOf(leaseId, seconds) };
    const preempted = leases.preempt('files/1', options);
    await settle();
    held = false;
    leases.notify('files/1');
    const lease = await preempted;
    expect(server.preemptions).toHaveLength(1);
    expect(server.acquires.map(({ leaseId }) => leaseId)).toEqual([server.preemptions[0]!.leaseId]);
    expect(lease.leaseId).toBe(server.preemptions[0]!.leaseId);
  });

  test('without an answer is sent again as a preemption', async () => {
    let attempts = 0;
    server.onPreempt = ({ leaseId, seconds }) => {
      if (++attempts === 1) throw problem('busy');
      return { status: 'granted', grant: grantOf(leaseId, seconds) };
    };
    const preempted = leases.preempt('files/1', options);
    await settle();
    leases.notify('files/1');
    await preempted;
    expect(attempts).toBe(2);
    expect(server.acquires).toEqual([]);
  });

  test('without the right to preempt is refused', async () => {
    server.onPreempt = () => {
      throw problem('forbidden');
    };
    await expect(leases.preempt('files/1', options)).rejects.toMatchObject({
      problem: { kind: 'forbidden' },
    });
  });

  test('that is aborted leaves the queue', async () => {
    const stop = new AbortController();
    const preempted = leases.preempt('files/1', { ...options, signal: stop.signal });
    await settle();
    stop.abort();
    await expect(preempted).rejects.toBeInstanceOf(DunlinError);
    expect(server.releases.map(({ leaseId }) => leaseId)).toEqual([server.preemptions[0]!.leaseId]);
  });

  test('over a transport without preemption is refused', async () => {
    const { acquire, renew, release } = server;
    const without = new Leases(
      { acquire: acquire.bind(server), renew: renew.bind(server), release: release.bind(server) },
      environment,
    );
    await expect(without.preempt('files/1', options)).rejects.toMatchObject({
      problem: { code: 'lease.noPreempt' },
    });
  });
});
