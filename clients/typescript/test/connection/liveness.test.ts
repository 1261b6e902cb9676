import { beforeEach, describe, expect, test } from 'vitest';
import { Auth } from '../../src/http/auth';
import { settle } from '../support/clock';
import { environment, streams, connectionWith, live, setUp } from './setup';

beforeEach(setUp);

describe('Staying alive', () => {
  test('A stream without a byte for 2.5 heartbeats is closed and reopened', async () => {
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

  test('A page that slept past its watchdog reconnects when it becomes visible', async () => {
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

  test('A connection is offline without a network and live when it returns', async () => {
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
  test('Entering the back/forward cache closes the stream, leaving resumes it', async () => {
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
