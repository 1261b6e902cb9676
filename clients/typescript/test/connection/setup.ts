import { expect } from 'vitest';
import { OwnConnection, type ConnectionOptions } from '../../src/connection/connection';
import { Auth } from '../../src/http/auth';
import { settle } from '../support/clock';
import { FakeEnvironment } from '../support/fakeEnvironment';
import { FakeStreams } from '../support/fakeServer';

export let environment: FakeEnvironment;
export let streams: FakeStreams;

/** Called before each test. */
export function setUp(): void {
  environment = new FakeEnvironment();
  streams = new FakeStreams();
  environment.fetchWith = streams.fetch;
}

export function connectionWith(options: Partial<ConnectionOptions> = {}) {
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

export async function live(options: Partial<ConnectionOptions> = {}) {
  const made = connectionWith(options);
  made.connection.connect();
  await settle();
  expect(made.connection.state.name).toBe('live');
  return made;
}
