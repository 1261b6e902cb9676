import { beforeEach, describe, expect, test } from 'vitest';
import { OwnConnection } from '../../src/connection/connection';
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

async function live() {
  const connection = new OwnConnection({
    environment,
    auth: new Auth(),
    deviceId: 'device-1',
    url: '/events',
  });
  const seen: unknown[] = [];
  connection.on('*', (data, event) => seen.push([event.type, data]));
  connection.connect();
  await settle();
  return { connection, seen };
}

describe('Control frames and events of applications', () => {
  for (const type of ['dunlin.goodbye', 'dunlin.reset', 'dunlin.hello', 'dunlin.revoked', 'dunlin.later']) {
    test(`"${type}" without a control field is ignored except for its id`, async () => {
      const { connection, seen } = await live();
      const resets: unknown[] = [];
      connection.onReset((reset) => resets.push(reset));
      streams.last.event('7-9', type, { reason: 'signedOut', position: '7-1', heartbeatSeconds: 0.001 });
      await environment.clock.advance(20_000);
      expect([connection.state.name, connection.position]).toEqual(['live', '7-9']);
      expect([resets, seen]).toEqual([[], []]);
    });
  }

  test('a control frame is recognised by its control field, not its event name', async () => {
    const { connection } = await live();
    streams.last.send('event: x\ncontrol: goodbye\ndata: {"reason":"signedOut"}\n\n');
    await settle();
    expect(connection.state).toMatchObject({ name: 'signedOut', reason: 'signedOut' });
  });

  test('a control frame of a later version is delivered under its name', async () => {
    const { connection, seen } = await live();
    streams.last.control(undefined, 'later', 1);
    await settle();
    expect([connection.state.name, seen]).toEqual(['live', [['dunlin.later', 1]]]);
  });

  test('an event named like the handlers of all events is delivered once', async () => {
    const { seen } = await live();
    streams.last.event('7-1', '*', 1);
    await settle();
    expect(seen).toEqual([['*', 1]]);
  });
});
