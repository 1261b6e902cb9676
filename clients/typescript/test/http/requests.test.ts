import { beforeEach, describe, expect, test } from 'vitest';
import { Auth, type AuthOptions } from '../../src/http/auth';
import { DunlinError, isTemporary, problemOf } from '../../src/http/problem';
import { Requests } from '../../src/http/requests';
import { engineLeases } from '../../src/leases/engineTransport';
import { deviceId } from '../../src/device';
import { FakeEnvironment } from '../support/fakeEnvironment';
import { json } from '../support/fakeServer';

let environment: FakeEnvironment;
let sent: { method: string; url: string; headers: Headers; init: RequestInit }[];
let answers: (() => Response | Promise<Response>)[];
let signedOut: number;

beforeEach(() => {
  environment = new FakeEnvironment();
  sent = [];
  answers = [];
  signedOut = 0;
  environment.fetchWith = async (url, init) => {
    sent.push({ method: init.method!, url, headers: new Headers(init.headers), init });
    return (answers.shift() ?? (() => json(200, { ok: true })))();
  };
});

function requests(options: AuthOptions = {}): Requests {
  return new Requests({
    environment,
    auth: new Auth(options),
    base: 'http://server.test',
    deviceId: 'device-1',
    connectionId: () => 'connection-1',
    onSignedOut: () => signedOut++,
  });
}

async function refused(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DunlinError);
  return (error as DunlinError).problem;
}

describe('A request', () => {
  test('names its connection and device and carries JSON', async () => {
    const answer = await requests({ token: () => 'token' }).send('POST', '/things', { body: { a: 1 } });
    expect(answer.body).toEqual({ ok: true });
    const { method, url, headers, init } = sent[0]!;
    expect([method, url, init.body]).toEqual(['POST', 'http://server.test/things', '{"a":1}']);
    expect(Object.fromEntries(headers)).toMatchObject({
      'dunlin-connection': 'connection-1',
      'dunlin-device': 'device-1',
      authorization: 'Bearer token',
      'content-type': 'application/json',
    });
  });

  test('names its user, except for a sign-in', async () => {
    const own = requests({ user: 'bob@example.org' });
    await own.send('POST', '/things', { body: {} });
    await own.send('POST', '/login', { body: {}, anonymous: true });
    await requests().send('GET', '/things');
    const named = sent.map(({ headers }) => headers.get('Dunlin-User'));
    expect(named).toEqual(['bob%40example.org', null, null]);
  });

  test('refused because of another user ends the session of its user', async () => {
    let refreshed = 0;
    answers = [() => json(409, { code: 'user_changed', title: 'Another user is signed in now.' })];
    const refresh = async () => (refreshed++, true);
    const problem = await refused(requests({ user: 'bob', refresh }).send('POST', '/things', { body: {} }));
    expect(problem).toMatchObject({ kind: 'signedOut', code: 'user_changed', status: 409 });
    expect([sent.length, refreshed, signedOut]).toEqual([1, 0, 1]);
  });

  test('refused has the code, the detail and the link in its message', async () => {
    const refusal = {
      type: '/docs/reference/errors.html#not_found',
      title: 'The resource was not found.',
      detail: "No task with id '7'.",
      code: 'not_found',
    };
    const answerAt =
      (url: string, type = refusal.type) =>
      () =>
        Object.defineProperty(json(404, { ...refusal, type }), 'url', { value: url });
    answers = [
      answerAt('https://server.test/api/tasks/7'),
      answerAt('', 'https://docs.test/errors#not_found'),
      answerAt(''),
      answerAt('https://server.test/', 'urn:problem:not_found'),
    ];
    const thrown = async () =>
      String(
        await requests()
          .send('GET', '/tasks/7')
          .catch((error: unknown) => error),
      );
    const text = "DunlinError: not_found: No task with id '7'.";
    expect(await thrown()).toBe(`${text} See https://server.test/docs/reference/errors.html#not_found`);
    expect(await thrown()).toBe(`${text} See https://docs.test/errors#not_found`);
    expect(await thrown()).toBe(text);
    expect(await thrown()).toBe(text);
  });

  test('answered with nothing has no body', async () => {
    answers.push(() => json(204, undefined));
    expect((await requests().send('DELETE', '/things')).body).toBeUndefined();
  });

  test('answered 401 is sent again after one refresh', async () => {
    let refreshes = 0;
    answers.push(() => json(401, {}));
    await requests({ refresh: async () => ++refreshes > 0 }).send('GET', '/things');
    expect([refreshes, sent.length, signedOut]).toEqual([1, 2, 0]);
  });

  test('Requests that fail together share one refresh', async () => {
    let refreshes = 0;
    answers.push(
      () => json(401, {}),
      () => json(401, {}),
    );
    const subject = requests({
      refresh: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return ++refreshes > 0;
      },
    });
    await Promise.all([subject.send('GET', '/a'), subject.send('GET', '/b')]);
    expect(refreshes).toBe(1);
  });

  test('answered 401 again ends the session', async () => {
    answers.push(() => json(401, {}));
    expect(await refused(requests().send('GET', '/things'))).toMatchObject({ kind: 'signedOut' });
    expect(signedOut).toBe(1);
  });

  test('for a sign-in is refused without ending the session', async () => {
    answers.push(() => json(401, { code: 'auth.failed' }));
    const problem = await refused(requests().send('POST', '/login', { anonymous: true }));
    expect(problem).toMatchObject({ kind: 'signedOut', code: 'auth.failed' });
    expect(signedOut).toBe(0);
  });
});

describe('Problems', () => {
  const table: [status: number, body: object, expected: object][] = [
    [400, { code: 'bad', field: 'name' }, { kind: 'invalid', code: 'bad', field: 'name' }],
    [403, { topic: 'a' }, { kind: 'forbidden', topic: 'a' }],
    [404, {}, { kind: 'notFound', code: 'http.404' }],
    [
      409,
      { reason: 'taken', holder: { name: 'Bob' } },
      { kind: 'lost', reason: 'taken', holder: { name: 'Bob' } },
    ],
    [409, { reason: 'another' }, { kind: 'conflict' }],
    [412, {}, { kind: 'conflict' }],
    [413, {}, { kind: 'invalid' }],
    [423, { holder: { owner: { name: 'Bob' } } }, { kind: 'held', holder: { owner: { name: 'Bob' } } }],
    [418, {}, { kind: 'unexpected' }],
    [429, { code: 'too_many_requests', class: 'retry' }, { kind: 'busy' }],
    [429, { code: 'limit_reached', class: 'stop', limit: 5 }, { kind: 'invalid', code: 'limit_reached' }],
    [500, { title: 'Oh.' }, { kind: 'busy', title: 'Oh.' }],
    [503, { code: 'store_unavailable' }, { kind: 'busy', code: 'store_unavailable' }],
    [503, { code: 'outcome_unknown' }, { kind: 'outcomeUnknown', code: 'outcome_unknown' }],
  ];
  for (const [status, body, expected] of table) {
    test(`${status} ${JSON.stringify(body)} is ${JSON.stringify(expected)}`, async () => {
      answers.push(() => json(status, body));
      expect(await refused(requests().send('GET', '/'))).toMatchObject({ status, ...expected });
    });
  }

  test('Retry-After is parsed as seconds and as a date of the server’s clock', async () => {
    const date = { Date: 'Wed, 01 Jan 2020 00:00:00 GMT', 'Retry-After': 'Wed, 01 Jan 2020 00:00:07 GMT' };
    answers.push(
      () => json(429, {}, { 'Retry-After': '3' }),
      () => json(503, {}, date),
      () => json(503, {}, { 'Retry-After': 'soon' }),
    );
    const subject = requests();
    expect(await refused(subject.send('GET', '/'))).toMatchObject({ kind: 'busy', retryAfterMs: 3000 });
    expect(await refused(subject.send('GET', '/'))).toMatchObject({ kind: 'busy', retryAfterMs: 7000 });
    expect(await refused(subject.send('GET', '/'))).toMatchObject({ kind: 'busy', retryAfterMs: undefined });
  });

  test('a refusal without a problem document becomes a problem', async () => {
    answers.push(() => new Response('<html>Bad gateway</html>', { status: 502 }));
    expect(await refused(requests().send('GET', '/'))).toMatchObject({ kind: 'busy', status: 502 });
  });

  test('network errors, truncated answers and invalid JSON are distinguished', async () => {
    answers.push(
      () => Promise.reject(new TypeError('fetch failed')),
      () => new Response(new ReadableStream({ start: (body) => body.error(new TypeError('terminated')) })),
      () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }),
    );
    const subject = requests();
    expect(await refused(subject.send('GET', '/'))).toMatchObject({ kind: 'network' });
    expect(await refused(subject.send('GET', '/'))).toMatchObject({ kind: 'network' });
    expect(await refused(subject.send('GET', '/'))).toMatchObject({ kind: 'unexpected' });
  });

  test('a programming error is no network error and is not retried', () => {
    expect(problemOf(new TypeError("Cannot read properties of undefined (reading 'x')")).kind).toBe(
      'unexpected',
    );
    expect(isTemporary(problemOf(new TypeError('Failed to fetch')))).toBe(true);
    expect(isTemporary({ kind: 'outcomeUnknown', code: 'outcome_unknown', title: '' })).toBe(true);
  });
});

describe('Leases of the engine on the wire', () => {
  const grant = { leaseId: 'l', fence: 7, seconds: 30 };
  const request = { resource: 'cases/1/name', leaseId: 'l', seconds: 30, wait: true };
  const signal = new AbortController().signal;

  for (const [status, body, expected] of [
    [201, grant, { status: 'granted', grant }],
    [200, grant, { status: 'granted', grant }],
    [202, { position: 2 }, { status: 'queued', position: 2 }],
    [423, { holder: { owner: { name: 'Bob' } } }, { status: 'held', holder: { owner: { name: 'Bob' } } }],
    [
      423,
      { holder: { name: 'Eve' }, expiresAt: 'x' },
      { status: 'held', holder: { owner: { name: 'Eve' }, expiresAt: 'x' } },
    ],
  ] as const) {
    test(`PUT answered ${status} ${JSON.stringify(body)} is ${expected.status}`, async () => {
      answers.push(() => json(status, body));
      expect(await engineLeases(requests()).acquire(request, signal)).toEqual(expected);
      expect(sent[0]).toMatchObject({
        method: 'PUT',
        url: 'http://server.test/dunlin/v1/leases/cases%2F1%2Fname',
        init: { body: '{"leaseId":"l","seconds":30,"wait":true}' },
      });
    });
  }

  test('Renew, release, hand-off and preemption name the lease', async () => {
    const transport = engineLeases(requests());
    const held = { ...request, fence: 7 };
    await transport.renew(held, signal);
    await transport.release(held, { keepalive: true });
    await transport.handOff!(held, 'bob');
    await transport.preempt!({ ...request, reason: 'urgent', graceSeconds: 5 }, signal);
    const root = 'http://server.test/dunlin/v1/leases/cases%2F1%2Fname';
    expect(sent.map(({ method, url, init }) => [method, url, init.body])).toEqual([
      ['POST', `${root}/renew`, '{"leaseId":"l","fence":7}'],
      ['DELETE', root, undefined],
      ['POST', `${root}/handoff`, '{"leaseId":"l","fence":7,"to":"bob"}'],
      ['POST', `${root}/take`, '{"leaseId":"l","seconds":30,"reason":"urgent","graceSeconds":5}'],
    ]);
    expect(sent[1]!.headers.get('Dunlin-Lease')).toBe('l');
    expect(sent[1]!.init.keepalive).toBe(true);
  });
});

describe('The device id', () => {
  test('is created once per browser and stored', () => {
    const kept = new Map<string, string>();
    environment.storage = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
    };
    const first = deviceId(environment);
    expect(first).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    expect(deviceId(environment)).toBe(first);
  });

  test('differs between the users of a browser', () => {
    const kept = new Map<string, string>();
    environment.storage = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
    };
    const alice = deviceId(environment, 'alice');
    expect(deviceId(environment, 'alice')).toBe(alice);
    expect(new Set([alice, deviceId(environment, 'bob'), deviceId(environment)]).size).toBe(3);
  });

  test('is replaced when the stored one is invalid, and works without storage', () => {
    environment.storage = { getItem: () => 'not valid!', setItem: () => {} };
    expect(deviceId(environment)).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    environment.storage = {
      getItem: () => {
        throw new Error('blocked');
      },
      setItem: () => {},
    };
    expect(deviceId(environment)).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  });
});

test('Bytes are sent and read as bytes', async () => {
  const bytes = Uint8Array.of(0, 1, 255);
  answers.push(() => new Response(bytes));
  const answer = await requests().send<Uint8Array>('POST', '/bytes', { body: bytes, binary: true });
  expect([...answer.body]).toEqual([0, 1, 255]);
  expect(sent[0]!.headers.get('Content-Type')).toBe('application/octet-stream');
  expect(sent[0]!.init.body).toBe(bytes);
});
