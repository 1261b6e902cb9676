import { browserEnvironment, type Environment } from '@dunlin/client';
import type {
  MutationV1,
  PullRequestV1,
  PushRequestV1,
  ReadonlyJSONValue,
  WriteTransaction,
} from 'replicache';
import { FakeStreams, json } from '../../../../clients/typescript/test/support/fakeServer';
import { createMutators } from '../src/state/mutators';

/** How the server answers a mutation: with a refusal of the whole request, without an effect, or (undefined) by carrying it out. */
export type Decision = Response | 'nothing' | undefined;

/** A todos server in memory, which a test can take off the network or make refuse. */
export class FakeTodos {
  readonly streams = new FakeStreams();
  readonly data = new Map<string, ReadonlyJSONValue>();
  /** Names of the mutations that were taken, in order. */
  readonly taken: string[] = [];
  requests = 0;
  pulls = 0;
  isReachable = true;
  /** Pulls get no answer until they are aborted. */
  isHanging = false;
  pullStatus = 200;
  decide: (mutation: MutationV1) => Decision = () => undefined;
  readonly #lastIds = new Map<string, Map<string, number>>();
  readonly #mutators = createMutators({ id: 'anna', name: 'Anna' }, () => 7);
  #version = 0;

  constructor() {
    this.streams.onOpen = (stream) => queueMicrotask(() => stream.send('data: connected\n\n'));
  }

  /** Tells the open streams that something has changed. */
  poke(): void {
    for (const stream of this.streams.opened) stream.send('data: sync\n\n');
  }

  /** A page of this server; waits are a twentieth of those of a browser. */
  environment(): Environment {
    const real = browserEnvironment();
    return {
      ...real,
      storage: undefined,
      locks: undefined,
      openBroadcast: undefined,
      setTimer: (milliseconds, callback) => real.setTimer(milliseconds / 20, callback),
      fetch: (url, init) => this.#fetch(url, init),
    };
  }

  async #fetch(address: string, init: RequestInit): Promise<Response> {
    this.requests++;
    if (!this.isReachable) throw new TypeError('fetch failed');
    const { pathname } = new URL(address, 'http://server.test');
    if (pathname.endsWith('/stream')) return this.streams.fetch(address, init);
    const body: unknown = JSON.parse(init.body as string);
    if (pathname.endsWith('/pull') && this.isHanging)
      return new Promise((_, reject) => {
        init.signal!.addEventListener('abort', () => reject(new DOMException('Aborted', 'AbortError')));
      });
    return pathname.endsWith('/push') ? this.#push(body as PushRequestV1) : this.#pull(body as PullRequestV1);
  }

  async #push({ clientGroupID, mutations }: PushRequestV1): Promise<Response> {
    const decisions = mutations.map((mutation) => this.decide(mutation));
    const refusal = decisions.find((decision) => decision instanceof Response);
    if (refusal) return refusal.clone();
    for (const [index, mutation] of mutations.entries()) {
      const ids = this.#idsOf(clientGroupID);
      if (mutation.id <= (ids.get(mutation.clientID) ?? 0)) continue;
      ids.set(mutation.clientID, mutation.id);
      this.taken.push(mutation.name);
      const mutate = (
        this.#mutators as Record<string, ((tx: WriteTransaction, args: never) => unknown) | undefined>
      )[mutation.name];
      if (decisions[index] !== 'nothing') await mutate?.(this.#transaction, mutation.args as never);
    }
    return json(200, {});
  }

  #pull({ clientGroupID }: PullRequestV1): Response {
    this.pulls++;
    if (this.pullStatus !== 200) return json(this.pullStatus, { code: 'broken', title: 'Broken.' });
    return json(200, {
      cookie: ++this.#version,
      lastMutationIDChanges: Object.fromEntries(this.#idsOf(clientGroupID)),
      patch: [{ op: 'clear' }, ...[...this.data].map(([key, value]) => ({ op: 'put', key, value }))],
    });
  }

  #idsOf(group: string): Map<string, number> {
    const ids = this.#lastIds.get(group) ?? new Map<string, number>();
    this.#lastIds.set(group, ids);
    return ids;
  }

  get #transaction(): WriteTransaction {
    return {
      get: async (key: string) => this.data.get(key),
      set: async (key: string, value: ReadonlyJSONValue) => void this.data.set(key, value),
      del: async (key: string) => this.data.delete(key),
      scan: ({ prefix }: { prefix: string }) => ({
        keys: () => ({ toArray: async () => [...this.data.keys()].filter((key) => key.startsWith(prefix)) }),
      }),
    } as unknown as WriteTransaction;
  }
}
