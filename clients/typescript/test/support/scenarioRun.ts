import { expect } from 'vitest';
import { Client } from '../../src/client';
import type { Connection } from '../../src/connection/connection';
import type { ConnectionState } from '../../src/connection/state';
import { problemOf, type Problem } from '../../src/http/problem';
import { LeaseLost, type Lease } from '../../src/leases/lease';
import type { Leases } from '../../src/leases/leases';
import { settle } from './clock';
import { FakeEnvironment } from './fakeEnvironment';

/** A scenario of docs/spec/client-scenarios.json, which describes the steps. */
export interface Scenario {
  readonly name: string;
  readonly tokens?: readonly (string | { fails: true })[];
  readonly user?: string;
  readonly random?: number;
  readonly steps: readonly Record<string, never>[];
}

interface SentRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Record<string, unknown> | undefined;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
}

interface ExpectedRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string[]>;
  readonly headers?: Record<string, string | null>;
  readonly body?: Record<string, unknown>;
  readonly idempotencyKey?: string;
  readonly idempotencyKeyIs?: string;
  readonly leaseId?: string;
}

interface Answered {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly problem?: unknown;
  readonly text?: string;
}

interface HelloStep {
  readonly position: string | null;
  readonly withId: boolean;
  readonly connectionId: string;
  readonly heartbeatSeconds: number;
}

type Item = { type?: string; topic?: string | null; data?: unknown; position: string; reset?: string };

/** Plays the server of one scenario and drives the client on virtual time. */
export class ScenarioRun {
  readonly #environment = new FakeEnvironment();
  readonly #client: Client;
  readonly #leases: Leases;
  readonly #tokens: (string | { fails: true })[];
  readonly #sent: SentRequest[] = [];
  readonly #open: SentRequest[] = [];
  readonly #chosen = new Map<string, string>();
  readonly #states: ConnectionState[] = [];
  readonly #items: Item[] = [];
  #token: string | undefined;
  #seenState = -1;
  #connection: Connection | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #result: Promise<unknown> | undefined;
  #lease: Lease | undefined;

  constructor(scenario: Scenario) {
    const environment = this.#environment;
    environment.chance = scenario.random ?? 1;
    environment.fetchWith = (url, init) => this.#receive(url, init);
    this.#tokens = [...(scenario.tokens ?? [])];
    if (scenario.tokens) this.#token = this.#tokens.shift() as string;
    this.#client = new Client({
      base: 'http://server.test',
      environment,
      user: scenario.user,
      token: () => this.#token,
      refresh: scenario.tokens ? () => this.#refresh() : undefined,
    });
    this.#leases = this.#client.leases();
  }

  dispose(): void {
    this.#lease?.markLost('unknown');
    this.#client.dispose();
  }

  async step(step: Record<string, never>, label: string): Promise<void> {
    const [name, value] = Object.entries(step)[0]!;
    await settle();
    await this.#run(name, value, label);
    await settle();
  }

  async #run(name: string, value: never, label: string): Promise<void> {
    switch (name) {
      case 'subscribe':
        return this.#subscribe(value);
      case 'publish': {
        const { topic, type, data, ...options } = value as Record<string, string>;
        this.#result = this.#client.publish(topic!, type!, data, options);
        return void this.#result.catch(() => {});
      }
      case 'acquire':
        this.#result = this.#acquire(value);
        return;
      case 'release':
        return void this.#lease!.release();
      case 'request':
        return this.#request(value, label);
      case 'answer':
        return this.#open.shift()!.resolve(answer(value));
      case 'open':
        return this.#openStream(this.#open.shift()!);
      case 'refuse':
        return this.#open.shift()!.reject(new TypeError('fetch failed'));
      case 'hello':
        return this.#send([new TextEncoder().encode(hello(value))]);
      case 'send':
        return this.#send([new TextEncoder().encode(value)]);
      case 'sendBytes':
        return this.#send([...new TextEncoder().encode(value)].map((byte) => Uint8Array.of(byte)));
      case 'end':
        return this.#body!.close();
      case 'cut':
        return this.#body!.error(new TypeError('terminated'));
      case 'advance':
        return this.#environment.clock.advance(value);
      case 'state':
        return this.#state(value, label);
      case 'events':
        return expect(this.#items.splice(0), label).toEqual((value as Item[]).map(plain));
      case 'stopped':
        return this.#stopped(value, label);
      case 'result':
        return this.#checkResult(value, label);
      case 'lease':
        return this.#checkLease(value, label);
      case 'noRequest':
        return expect(this.#sent, label).toEqual([]);
      default:
        throw new Error(`'${name}' is no step.`);
    }
  }

  #receive(url: string, init: RequestInit): Promise<Response> {
    const body =
      typeof init.body === 'string' && init.body.startsWith('{') ? JSON.parse(init.body) : undefined;
    return new Promise((resolve, reject) => {
      const signal = init.signal ?? undefined;
      signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      const headers = new Headers(init.headers);
      this.#sent.push({
        method: init.method ?? 'GET',
        url: new URL(url),
        headers,
        body,
        signal,
        resolve,
        reject,
      });
    });
  }

  async #refresh(): Promise<boolean> {
    const next = this.#tokens.shift();
    if (next !== undefined && typeof next !== 'string') throw new Error('No token today.');
    if (next !== undefined) this.#token = next;
    return next !== undefined;
  }

  #subscribe({ topics }: { topics: string[] }): void {
    const connection = this.#client.connection({ topics, share: false });
    this.#connection = connection;
    connection.on('*', (data, { type, topic, position }) =>
      this.#items.push(plain({ type, topic, data, position: position! })),
    );
    connection.onReset(({ reason, position }) => this.#items.push({ reset: reason, position: position! }));
    connection.onState((state) => this.#states.push(state));
    connection.connect();
  }

  async #acquire(request: { resource: string; seconds: number; wait: boolean }): Promise<unknown> {
    const { resource, seconds, wait } = request;
    if (wait) {
      this.#lease = await this.#leases.acquire(resource, { seconds });
      return { acquired: true, fence: this.#lease.fence };
    }
    const result = await this.#leases.tryAcquire(resource, { seconds });
    if (result.status === 'held') return { acquired: false, holder: result.holder?.owner?.userId };
    this.#lease = result.lease;
    return { acquired: true, fence: result.lease.fence };
  }

  #request(expected: ExpectedRequest, label: string): void {
    const request = this.#sent.shift();
    expect(
      request,
      `${label}: no request, states ${this.#states.map((state) => state.name).join(' ')}`,
    ).toBeDefined();
    const { method, url, headers, body } = request!;
    this.#open.push(request!);
    expect([method, url.pathname], label).toEqual([expected.method, expected.path]);
    for (const [name, values] of Object.entries(expected.query ?? {})) {
      expect(url.searchParams.getAll(name), label).toEqual(values);
    }
    for (const [name, header] of Object.entries(expected.headers ?? {})) {
      expect(headers.get(name), `${label}: ${name}`).toBe(header);
    }
    if (expected.body) expect(body, label).toMatchObject(expected.body);
    const key = (body?.['idempotencyKey'] as string | undefined) ?? headers.get('Idempotency-Key');
    if (expected.idempotencyKeyIs !== undefined) expect(key, label).toBe(expected.idempotencyKeyIs);
    this.#checkChosen('key', expected.idempotencyKey, key, label);
    const leaseId = (body?.['leaseId'] as string | undefined) ?? headers.get('Dunlin-Lease');
    this.#checkChosen('lease', expected.leaseId, leaseId, label);
  }

  #checkChosen(
    kind: string,
    name: string | undefined,
    value: string | null | undefined,
    label: string,
  ): void {
    if (name === undefined) return;
    expect(value, label).toBeTruthy();
    const known = this.#chosen.get(`${kind} ${name}`);
    if (known !== undefined) expect(value, label).toBe(known);
    this.#chosen.set(`${kind} ${name}`, value!);
  }

  #openStream(request: SentRequest): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#body = controller;
        request.signal?.addEventListener('abort', () =>
          controller.error(new DOMException('aborted', 'AbortError')),
        );
      },
    });
    const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Dunlin-Connection': 'c0' };
    request.resolve(new Response(body, { headers }));
  }

  #send(chunks: Uint8Array[]): void {
    for (const chunk of chunks) this.#body!.enqueue(chunk);
  }

  // A state may pass before the test looks: it counts if it came after the last state of the script.
  #state(expected: Record<string, unknown>, label: string): void {
    const matches = (state: ConnectionState) => {
      try {
        expect(state).toMatchObject(expected);
        return true;
      } catch {
        return false;
      }
    };
    const last = this.#states.length - 1;
    for (let index = last; index >= 0 && (index > this.#seenState || index === last); index--) {
      if (!matches(this.#states[index]!)) continue;
      this.#seenState = index;
      return;
    }
    expect(this.#states[last], `${label}, after ${JSON.stringify(this.#states)}`).toMatchObject(expected);
  }

  #stopped(expected: Partial<Problem>, label: string): void {
    const { state } = this.#connection!;
    if (state.name === 'signedOut') expect(expected.kind, label).toBe('signedOut');
    else expect(state, label).toMatchObject({ name: 'closed', problem: expected });
  }

  async #checkResult(expected: { error?: object }, label: string): Promise<void> {
    if (!expected.error) return expect(await this.#result, label).toEqual(expected);
    const error: unknown = await this.#result!.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(problemOf(error), label).toMatchObject(expected.error);
  }

  #checkLease(expected: { held: boolean; validForMs?: number; reason?: string }, label: string): void {
    const lease = this.#lease!;
    expect(lease.isHeld, label).toBe(expected.held);
    if (expected.validForMs !== undefined) expect(lease.validForMs, label).toBe(expected.validForMs);
    if (expected.reason === undefined) return;
    expect((lease.lost.reason as LeaseLost).reason, label).toBe(expected.reason);
  }
}

function plain({ type, topic, data, position, reset }: Item): Item {
  if (reset !== undefined) return { reset, position };
  return { type: type!, ...(topic ? { topic } : {}), data, position };
}

function answer({ status, headers, problem, text }: Answered): Response {
  const type: Record<string, string> =
    problem === undefined ? {} : { 'Content-Type': 'application/problem+json' };
  const body = status === 204 ? null : problem === undefined ? text : JSON.stringify(problem);
  return new Response(body, { status, headers: { ...type, ...headers } });
}

function hello({ position, withId, connectionId, heartbeatSeconds }: HelloStep): string {
  const id = position !== null && withId ? `id: ${position}\n` : '';
  const data = JSON.stringify({ connectionId, ...(position === null ? {} : { position }), heartbeatSeconds });
  return `${id}event: dunlin.hello\ncontrol: hello\ndata: ${data}\n\n`;
}
