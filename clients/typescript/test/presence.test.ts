import { beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../src/client';
import type { Connection } from '../src/connection/connection';
import type { Presence } from '../src/presence/presence';
import { settle } from './support/clock';
import { FakeEnvironment } from './support/fakeEnvironment';
import { FakeStreams, json } from './support/fakeServer';

let environment: FakeEnvironment;
let streams: FakeStreams;
let lists: (() => Response | Promise<Response>)[];
let asked: string[];
let connection: Connection;
let presence: Presence;

const member = (userId: string, topic?: string) => ({ userId, name: userId, topic });
const list = (...userIds: string[]) =>
  json(200, { topic: 'branches/1', present: userIds.map((id) => member(id)) });
const names = () => [...presence.get().keys()];

beforeEach(() => {
  environment = new FakeEnvironment();
  streams = new FakeStreams();
  lists = [];
  asked = [];
  environment.fetchWith = async (url, init) => {
    if (!url.includes('/presence')) return streams.fetch(url, init);
    asked.push(url);
    return (lists.shift() ?? (() => list('ann')))();
  };
  const client = new Client({ environment });
  connection = client.connection({ topics: ['branches/1'], present: true });
  presence = client.presence(connection, 'branches/1');
});

async function live(): Promise<void> {
  connection.connect();
  await settle();
  streams.last.control(undefined, 'hello', { connectionId: 'me', position: 'e-1' });
  await settle();
}

describe('Presence', () => {
  test('the list is fetched when the connection is live and follows changes', async () => {
    await live();
    expect(asked).toEqual(['/dunlin/v1/presence?topic=branches%2F1']);
    expect(streams.last.url.searchParams.get('presence')).toBe('true');
    expect(names()).toEqual(['ann']);
    streams.last.event(undefined, 'presence.joined', member('bob'));
    await settle();
    expect(names()).toEqual(['ann', 'bob']);
    streams.last.event(undefined, 'presence.left', member('ann'));
    await settle();
    expect(names()).toEqual(['bob']);
  });

  test('changes during the fetch are applied on top of the list', async () => {
    let answer!: (response: Response) => void;
    lists.push(() => new Promise((resolve) => (answer = resolve)));
    await live();
    streams.last.event(undefined, 'presence.left', member('ann'));
    streams.last.event(undefined, 'presence.joined', member('bob'));
    await settle();
    answer(list('ann', 'carol'));
    await settle();
    expect(names()).toEqual(['carol', 'bob']);
  });

  test('the list is fetched again after a reconnect and after a reset', async () => {
    await live();
    streams.last.end();
    await environment.clock.advance(1000);
    streams.last.control(undefined, 'hello', { position: 'e-1' });
    await settle();
    streams.last.control('f-1', 'reset', { reason: 'trimmed' });
    await settle();
    expect(asked).toHaveLength(3);
  });

  test('changes of another topic are ignored', async () => {
    await live();
    streams.last.event(undefined, 'presence.joined', member('bob'), 'branches/2');
    streams.last.event(undefined, 'presence.joined', member('carol', 'branches/2'));
    await settle();
    expect(names()).toEqual(['ann']);
  });

  test('a failed fetch keeps the old list', async () => {
    await live();
    lists.push(() => json(500, {}));
    await presence.refresh();
    expect(names()).toEqual(['ann']);
  });
});
