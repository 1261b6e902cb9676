import { beforeEach, describe, expect, test } from 'vitest';
import { OwnConnection, type ConnectionOptions } from '../../src/connection/connection';
import { Auth } from '../../src/http/auth';
import { settle } from '../support/clock';
import { FakeEnvironment } from '../support/fakeEnvironment';
import { FakeStreams, json } from '../support/fakeServer';

let environment: FakeEnvironment;
let streams: FakeStreams;

beforeEach(() => {
  environment = new FakeEnvironment();
  streams = new FakeStreams();
  environment.fetchWith = streams.fetch;
});

function connectionWith(options: Partial<ConnectionOptions> = {}) {
  const connection = new OwnConnection({
    environment,
    auth: new Auth(),
    deviceId: 'device-1',
    url: '/events',
    ...options,
  });
  const seen: unknown[] = [];
  connection.on('*', (data, event) => seen.push([event.type, data]));
  return { connection, seen };
}

async function live(options: Partial<ConnectionOptions> = {}) {
  const made = connectionWith(options);
  made.connection.connect();
  await settle();
  expect(made.connection.state.name).toBe('live');
  return made;
}

describe('Opening', () => {
  test('A connection is live when the headers of 200 arrive, and knows its id from them', async () => {
    const { connection } = await live();
    expect(connection.isConnected()).toBe(true);
    expect(connection.connectionId).toBe('connection-1');
    expect(streams.requests[0]!.headers.get('Dunlin-Device')).toBe('device-1');
    expect(streams.requests[0]!.headers.has('Last-Event-ID')).toBe(false);
  });

  test('A stream of the engine is live only after its hello, so that a snapshot fetched then leaves no gap', async () => {
    const { connection } = connectionWith({ awaitsHello: true });
    connection.connect();
    await settle();
    expect(connection.state.name).toBe('connecting');
    streams.last.control(undefined, 'hello', { position: '7-1' });
    await settle();
    expect([connection.state.name, connection.connectionId, connection.position]).toEqual([
      'live',
      'connection-1',
      '7-1',
    ]);
  });

  test('The bearer token is asked for anew at every attempt', async () => {
    let token = 'first';
    await live({ auth: new Auth({ token: () => token }) });
    token = 'second';
    streams.last.end();
    await environment.clock.advance(1000);
    expect(streams.requests.map(({ headers }) => headers.get('Authorization'))).toEqual([
      'Bearer first',
      'Bearer second',
    ]);
  });

  test('401 is answered by one refresh, and then by another attempt', async () => {
    let refreshes = 0;
    streams.plan(() => json(401, { code: 'signedOut' }));
    await live({ auth: new Auth({ refresh: async () => ++refreshes > 0 }) });
    expect([refreshes, streams.requests.length]).toEqual([1, 2]);
  });

  test('401 after the refresh signs out, and nothing is tried again', async () => {
    let refreshes = 0;
    for (let count = 0; count < 10; count++) streams.plan(() => json(401, {}));
    const { connection } = connectionWith({ auth: new Auth({ refresh: async () => ++refreshes > 0 }) });
    connection.connect();
    await environment.clock.advance(120_000);
    environment.signal('visible');
    environment.signal('online');
    await environment.clock.advance(120_000);
    expect(connection.state).toMatchObject({ name: 'signedOut', reason: 'unauthorized' });
    expect([refreshes, streams.requests.length]).toEqual([1, 2]);
  });

  test('A refresh that the network breaks is tried again and signs nobody out', async () => {
    let refreshes = 0;
    const refresh = async () => {
      if (++refreshes === 1) throw new TypeError('fetch failed');
      return true;
    };
    streams.plan(() => json(401, {}));
    streams.plan(() => json(401, {}));
    const { connection } = connectionWith({ auth: new Auth({ refresh }) });
    connection.connect();
    await settle();
    expect(connection.state.name).toBe('waiting');
    await environment.clock.advance(1000);
    expect(connection.state.name).toBe('live');
  });

  for (const [status, kind] of [
    [400, 'invalid'],
    [403, 'forbidden'],
    [404, 'notFound'],
  ] as const) {
    test(`${status} closes with a typed problem and is not tried again`, async () => {
      streams.plan(() => json(status, { code: 'some.code', title: 'No.', hint: 'Ask.', topic: 'secret/1' }));
      const { connection } = connectionWith();
      connection.connect();
      await environment.clock.advance(120_000);
      expect(connection.state).toMatchObject({
        name: 'closed',
        problem: { kind, code: 'some.code', hint: 'Ask.' },
      });
      expect(streams.requests).toHaveLength(1);
    });
  }

  for (const status of [429, 500, 502, 503]) {
    test(`${status} waits, for as long as Retry-After says`, async () => {
      environment.chance = 0;
      streams.plan(() => json(status, {}, { 'Retry-After': '20' }));
      const { connection } = connectionWith();
      connection.connect();
      await settle();
      environment.signal('visible');
      await environment.clock.advance(19_999);
      expect(connection.state.name).toBe('waiting');
      await environment.clock.advance(1);
      expect(connection.state.name).toBe('live');
    });
  }

  test('An answer that is no event stream is waited out, such as the page of a captive portal', async () => {
    streams.plan(() => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }));
    const { connection } = connectionWith();
    connection.connect();
    await settle();
    expect(connection.state).toMatchObject({ name: 'waiting', problem: { code: 'notAStream' } });
  });

  test('The waits between failed attempts are 1, 2, 4, 8, 16, 30, 30 seconds', async () => {
    environment.fetchWith = () => Promise.reject(new TypeError('fetch failed'));
    const { connection } = connectionWith();
    const waits: number[] = [];
    connection.onState((state) => state.name === 'waiting' && waits.push(state.delayMs));
    connection.connect();
    await environment.clock.advance(90_000);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  });
});

describe('Resuming', () => {
  test('The position of the last event is sent when the stream is opened again', async () => {
    const { seen } = await live();
    streams.last.event('7-1', 'changed', 1);
    streams.last.event('7-2', 'changed', 2);
    await settle();
    streams.last.break();
    await environment.clock.advance(1000);
    expect(streams.last.lastEventId).toBe('7-2');
    expect(seen).toEqual([
      ['changed', 1],
      ['changed', 2],
    ]);
  });

  test('A block with only an id moves the position', async () => {
    const { connection } = await live();
    streams.last.send('id: 7-9\n\n');
    await settle();
    expect(connection.position).toBe('7-9');
  });

  test('A block that the break cut off is neither handled nor counted', async () => {
    const { connection, seen } = await live();
    streams.last.event('7-1', 'changed', 1);
    streams.last.send('id: 7-2\nevent: changed\ndata: 2\n');
    await settle();
    streams.last.break();
    await environment.clock.advance(1000);
    expect(streams.last.lastEventId).toBe('7-1');
    expect(seen).toHaveLength(1);
    expect(connection.position).toBe('7-1');
  });

  test('A connection that dropped before its first event resumes from the position of its hello', async () => {
    await live();
    streams.last.control(undefined, 'hello', {
      connectionId: 'x',
      position: '7-40',
      heartbeatSeconds: 15,
    });
    await settle();
    streams.last.break();
    await environment.clock.advance(1000);
    expect(streams.last.lastEventId).toBe('7-40');
  });

  test('The hello of a resumed stream does not skip what is still to be replayed', async () => {
    const { connection } = await live();
    streams.last.event('7-1', 'changed', 1);
    await settle();
    streams.last.break();
    await environment.clock.advance(1000);
    streams.last.control(undefined, 'hello', { connectionId: 'x', position: '7-40' });
    await settle();
    expect(connection.position).toBe('7-1');
  });

  test('A reset is surfaced, and the old position is not asked for again', async () => {
    const { connection } = await live();
    const resets: unknown[] = [];
    connection.onReset((reset) => resets.push(reset.reason));
    streams.last.event('6-1', 'changed', 1);
    await settle();
    streams.last.break();
    await environment.clock.advance(1000);
    streams.last.control(undefined, 'hello', { position: '7-40' });
    streams.last.control(undefined, 'reset', { reason: 'trimmed' });
    await settle();
    expect(resets).toEqual(['trimmed']);
    expect(connection.position).toBe('7-40');
  });
});

describe('Staying alive', () => {
  test('A stream without a byte for two and a half heartbeats is dropped and opened again', async () => {
    const { connection } = await live({ heartbeatSeconds: 30 });
    await environment.clock.advance(74_999);
    expect(connection.state.name).toBe('live');
    await environment.clock.advance(1);
    expect(connection.state).toMatchObject({ name: 'waiting', problem: { code: 'silent' } });
    await environment.clock.advance(1000);
    expect(streams.opened).toHaveLength(2);
  });

  test('Comments keep a stream alive', async () => {
    const { connection } = await live();
    for (let beat = 0; beat < 20; beat++) {
      streams.last.send(':\n\n');
      await environment.clock.advance(30_000);
    }
    expect(connection.state.name).toBe('live');
    expect(streams.opened).toHaveLength(1);
  });

  test('The hello sets the heartbeat', async () => {
    const { connection } = await live();
    streams.last.control(undefined, 'hello', { connectionId: 'from-hello', heartbeatSeconds: 2 });
    await environment.clock.advance(4999);
    expect(connection.connectionId).toBe('from-hello');
    await environment.clock.advance(1);
    expect(connection.state.name).toBe('waiting');
  });

  test('A server that accepts and never answers is given up as well', async () => {
    streams.plan(() => new Promise<Response>(() => {}));
    const { connection } = connectionWith();
    connection.connect();
    await environment.clock.advance(37_500);
    expect(connection.state.name).toBe('waiting');
  });

  test('A page that slept through its watchdog notices at once when it becomes visible', async () => {
    const { connection } = await live();
    environment.clock.now += 3_600_000;
    environment.signal('visible');
    await settle();
    expect(streams.opened).toHaveLength(2);
    expect(connection.state.name).toBe('live');
  });

  test('A waiting connection tries at once when the page becomes visible', async () => {
    const { connection } = await live();
    streams.last.break();
    await settle();
    expect(connection.state.name).toBe('waiting');
    environment.signal('visible');
    await settle();
    expect(connection.state.name).toBe('live');
  });

  test('Without a network the connection is offline, and it is live at once when the network returns', async () => {
    const { connection } = await live();
    environment.signal('offline');
    await environment.clock.advance(5000);
    expect(connection.state.name).toBe('offline');
    environment.signal('online');
    await settle();
    expect(connection.state.name).toBe('live');
  });
});

describe('Goodbyes', () => {
  test('A planned close is followed after the time the server gave', async () => {
    const { connection } = await live();
    streams.last.control(undefined, 'goodbye', { reason: 'draining', reconnectInMs: 4321 });
    await environment.clock.advance(4320);
    expect(connection.state.name).toBe('waiting');
    expect(streams.opened[0]!.isClosed).toBe(true);
    await environment.clock.advance(1);
    expect(connection.state.name).toBe('live');
  });

  test('Frames behind a goodbye in the same chunk are not handled', async () => {
    const { seen } = await live();
    streams.last.send(
      'event: dunlin.goodbye\ncontrol: goodbye\ndata: {"reason":"draining","reconnectInMs":10}\n\nid: 7-1\ndata: 1\n\n',
    );
    await settle();
    expect(seen).toEqual([]);
  });

  test('An expired token is refreshed before the stream is opened again', async () => {
    const order: string[] = [];
    const { connection } = await live({
      auth: new Auth({
        refresh: async () => {
          order.push(`refresh after ${streams.requests.length}`);
          return true;
        },
      }),
    });
    await environment.clock.advance(6000);
    streams.last.control(undefined, 'goodbye', { reason: 'tokenExpired' });
    await settle();
    expect(order).toEqual(['refresh after 1']);
    expect(connection.state.name).toBe('live');
    expect(streams.requests).toHaveLength(2);
  });

  for (const reason of ['signedOut', 'revoked']) {
    test(`"${reason}" signs out for good`, async () => {
      const { connection } = await live();
      streams.last.control(undefined, 'goodbye', { reason, reconnectInMs: 1 });
      await environment.clock.advance(120_000);
      expect(connection.state).toMatchObject({ name: 'signedOut', reason });
      expect(streams.opened).toHaveLength(1);
    });
  }

  test('The retry time of the server replaces the first wait', async () => {
    const { connection } = await live();
    streams.last.send('retry: 6543\n\n');
    await environment.clock.advance(6000);
    streams.last.end();
    await settle();
    expect(connection.state).toMatchObject({ name: 'waiting', delayMs: 6543 });
  });

  test('A server that accepts and closes at once is not asked in a tight loop', async () => {
    streams.onOpen = (stream) => stream.end();
    const { connection } = connectionWith();
    connection.connect();
    await environment.clock.advance(60_000);
    expect(streams.requests.length).toBeLessThanOrEqual(7);
  });
});

describe('The page', () => {
  test('Going into the back/forward cache closes the stream, and coming out resumes it', async () => {
    const { connection } = await live();
    streams.last.event('7-1', 'changed', 1);
    await settle();
    environment.signal('pagehide', { persisted: true });
    expect(streams.opened[0]!.isClosed).toBe(true);
    expect(connection.state).toMatchObject({ name: 'closed', suspended: true });
    environment.signal('pageshow', { persisted: true });
    await settle();
    expect(streams.last.lastEventId).toBe('7-1');
    expect(connection.state.name).toBe('live');
  });

  test('A connection that was not open does not open when the page comes back', async () => {
    const { connection } = connectionWith();
    environment.signal('pagehide');
    environment.signal('pageshow', { persisted: true });
    await settle();
    expect(connection.state.name).toBe('closed');
    expect(streams.requests).toEqual([]);
  });

  test('A disposed connection does not listen to the page any more', async () => {
    const { connection } = await live();
    connection.dispose();
    environment.signal('pageshow', { persisted: true });
    environment.signal('online');
    await environment.clock.advance(120_000);
    expect(streams.requests).toHaveLength(1);
    expect(environment.clock.pending).toEqual([]);
  });
});

describe('Wire formats and handlers', () => {
  const cases = [
    ['named', 'event: case-updated\ndata: {"id":1}\n\n', ['case-updated', { id: 1 }]],
    ['named', 'event: connected\ndata: Stream connected\n\n', ['connected', 'Stream connected']],
    ['named', 'event: counted\ndata: null\n\n', ['counted', null]],
    ['typed', 'data: {"type":"lock-acquired","data":{"field":"x"}}\n\n', ['lock-acquired', { field: 'x' }]],
    ['word', 'data: sync\n\n', ['sync', undefined]],
    [
      'envelope',
      'data: {"channel":"timer","type":"started","payload":1}\n\n',
      ['timer', { channel: 'timer', type: 'started', payload: 1 }],
    ],
  ] as const;

  for (const [format, bytes, expected] of cases) {
    test(`The format ${format} is decoded: ${expected[0]}`, async () => {
      const { seen } = await live({ format });
      streams.last.send(bytes);
      await settle();
      expect(seen).toEqual([expected]);
    });
  }

  test('Control events are understood in every format', async () => {
    for (const format of ['envelope', 'typed', 'word'] as const) {
      const { connection, seen } = await live({ format });
      streams.last.control(undefined, 'goodbye', { reason: 'revoked' });
      await settle();
      expect(connection.state.name).toBe('signedOut');
      expect(seen).toEqual([]);
    }
  });

  test('A frame of another format is reported and stops nothing', async () => {
    const { seen } = await live({ format: 'typed' });
    streams.last.send('data: not json\n\ndata: {"type":"good"}\n\n');
    await settle();
    expect(seen).toEqual([['good', undefined]]);
    expect(environment.errors).toHaveLength(1);
  });

  test('Several handlers of one channel all run, and off removes one or all', async () => {
    const { connection } = await live({ format: 'envelope' });
    const calls: string[] = [];
    const one = () => calls.push('one');
    connection.on('timer', one);
    connection.on('timer', () => calls.push('two'));
    const send = async () => {
      streams.last.send('data: {"channel":"timer","type":"started","payload":{}}\n\n');
      await settle();
    };
    await send();
    connection.off('timer', one);
    await send();
    connection.off('timer');
    await send();
    expect(calls).toEqual(['one', 'two', 'two']);
  });

  test('A handler that throws is reported and stops neither the others nor the stream', async () => {
    const { connection, seen } = await live();
    connection.on('changed', () => {
      throw new Error('a mistake of the application');
    });
    streams.last.event('7-1', 'changed', 1);
    streams.last.event('7-2', 'changed', 2);
    await settle();
    expect(seen).toHaveLength(2);
    expect(environment.errors).toHaveLength(2);
    expect(connection.position).toBe('7-2');
  });

  test('The types of an event map are checked', async () => {
    interface CaseEvents {
      'case-updated': { caseId: number };
    }
    const options = {
      environment,
      auth: new Auth(),
      deviceId: 'device-1',
      url: '/events',
      format: 'typed',
    } as const;
    const connection = new OwnConnection<CaseEvents>(options);
    const ids: number[] = [];
    connection.on('case-updated', (data, event) => ids.push(data.caseId + event.data.caseId));
    // @ts-expect-error -- no such event
    connection.on('case-upated', () => {});
    // @ts-expect-error -- the data has no such field
    connection.on('case-updated', (data) => data.id);
    connection.connect();
    await settle();
    streams.last.send('data: {"type":"case-updated","data":{"caseId":2}}\n\n');
    await settle();
    expect(ids).toEqual([4]);
  });

  test('Events carry their position and topic', async () => {
    const { connection } = await live();
    const events: unknown[] = [];
    connection.on('changed', (_data, event) => events.push([event.position, event.topic]));
    streams.last.event('7-1', 'changed', 1, 'branches/1');
    await settle();
    expect(events).toEqual([['7-1', 'branches/1']]);
  });
});
