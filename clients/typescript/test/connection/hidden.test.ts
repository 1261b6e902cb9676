import { beforeEach, describe, expect, test } from 'vitest';
import { HIDDEN_MS, OwnConnection, type ConnectionOptions } from '../../src/connection/connection';
import { Auth } from '../../src/http/auth';
import { settle } from '../support/clock';
import { FakeEnvironment } from '../support/fakeEnvironment';
import { FakeStreams } from '../support/fakeServer';

let environment: FakeEnvironment;
let streams: FakeStreams;

beforeEach(() => {
  environment = new FakeEnvironment();
  streams = new FakeStreams();
  environment.fetchWith = streams.fetch;
});

async function live(options: Partial<ConnectionOptions> = {}) {
  const auth = new Auth();
  const connection = new OwnConnection({
    environment,
    auth,
    deviceId: 'device-1',
    url: '/events',
    ...options,
  });
  const seen: unknown[] = [];
  connection.on('*', (data, event) => seen.push([event.type, data]));
  connection.connect();
  await settle();
  expect(connection.isConnected()).toBe(true);
  return { connection, seen };
}

describe('An unshared stream in a hidden page', () => {
  const mayLetGo = () => true;

  test('closes after some seconds and resumes when the page is shown', async () => {
    const { connection, seen } = await live({ mayLetGo });
    streams.last.event('7-1', 'changed', 1);
    await settle();
    environment.signal('hidden');
    await environment.clock.advance(HIDDEN_MS - 1);
    expect(connection.isConnected()).toBe(true);
    await environment.clock.advance(1);
    expect(streams.last.isClosed).toBe(true);
    environment.signal('online');
    await environment.clock.advance(60_000);
    expect(streams.opened).toHaveLength(1);
    environment.signal('visible');
    await settle();
    expect(streams.last.lastEventId).toBe('7-1');
    expect(connection.isConnected()).toBe(true);
    expect(seen).toEqual([['changed', 1]]);
  });

  test('closes in a tab that was opened in the background', async () => {
    environment.hidden = true;
    await live({ mayLetGo });
    await environment.clock.advance(HIDDEN_MS);
    expect(streams.last.isClosed).toBe(true);
  });

  test('stays open when the page is shown again soon', async () => {
    const { connection } = await live({ mayLetGo });
    environment.signal('hidden');
    await environment.clock.advance(HIDDEN_MS - 1);
    environment.signal('visible');
    await environment.clock.advance(HIDDEN_MS);
    expect(connection.isConnected()).toBe(true);
    expect(streams.opened).toHaveLength(1);
  });

  test('stays open without mayLetGo and stays closed after disconnect', async () => {
    const { connection } = await live();
    environment.signal('hidden');
    await environment.clock.advance(HIDDEN_MS * 3);
    expect(connection.isConnected()).toBe(true);
    const { connection: closed } = await live({ mayLetGo });
    closed.disconnect();
    environment.signal('hidden');
    await environment.clock.advance(HIDDEN_MS);
    environment.signal('visible');
    await settle();
    expect(closed.state).toMatchObject({ name: 'closed', suspended: false });
  });
});
