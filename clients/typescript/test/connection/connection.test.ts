import { beforeEach, describe, expect, test } from 'vitest';
import { Auth } from '../../src/http/auth';
import { StreamMoved } from '../../src/streams/moved';
import { settle } from '../support/clock';
import { json } from '../support/fakeServer';
import { environment, streams, connectionWith, live, setUp } from './setup';

beforeEach(setUp);

describe('Opening', () => {
  test('A connection is live and has its id when the headers of 200 arrive', async () => {
    const { connection } = await live();
    expect(connection.isConnected()).toBe(true);
    expect(connection.connectionId).toBe('connection-1');
    expect(streams.requests[0]!.headers.get('Dunlin-Device')).toBe('device-1');
    expect(streams.requests[0]!.headers.has('Last-Event-ID')).toBe(false);
  });

  test('A stream that moved after it was replaced opens no third one', async () => {
    let move!: (error: Error) => void;
    streams.plan(() => new Promise((_, reject) => (move = reject)));
    const { connection } = connectionWith();
    connection.connect();
    await settle();
    connection.disconnect();
    connection.connect();
    await settle();
    move(new StreamMoved());
    await settle();
    expect([connection.state.name, streams.requests.length]).toEqual(['live', 2]);
  });

  test('With awaitsHello a connection is live only after the hello', async () => {
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

  test('A response that is no event stream is retried (captive portal)', async () => {
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

  test('A connection without events resumes from the position of its hello', async () => {
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

  test('The hello of a resumed stream does not skip events still to replay', async () => {
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
