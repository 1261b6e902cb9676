import { beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../../src/client';
import type { SocketHandlers } from '../../src/environment';
import { FIRST_BYTES_MS, RETRY_MS } from '../../src/streams/transportState';
import { settle } from '../support/clock';
import { FakeEnvironment } from '../support/fakeEnvironment';
import { FakeStreams } from '../support/fakeServer';
// The client loads this module when it needs it, and the time of the tests does not pass meanwhile.
import '../../src/streams/fallbacks';

interface FakeSocket {
  url: URL;
  protocol: string;
  handlers: SocketHandlers;
  isClosed: boolean;
}

let environment: FakeEnvironment;
let streams: FakeStreams;
let sockets: FakeSocket[];
let polls: { url: URL; headers: Headers; answer: (text: string, status?: number) => void }[];
let isSseBlocked: boolean;

const network = { type: 'wifi' };
const hello = (id: string) =>
  `:\n\nid: e-1\nevent: dunlin.hello\ncontrol: hello\ndata: {"connectionId":"${id}","position":"e-1","heartbeatSeconds":15}\n\n`;

beforeEach(() => {
  environment = new FakeEnvironment();
  streams = new FakeStreams();
  sockets = [];
  polls = [];
  isSseBlocked = true;
  const stored = new Map<string, string>();
  environment.storage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => void stored.set(key, value),
  };
  Object.assign(environment, {
    networkType: () => network.type,
    wallClock: () => environment.clock.now,
    openSocket: (url: string, protocol: string, handlers: SocketHandlers) => {
      const socket = { url: new URL(url, 'http://server.test'), protocol, handlers, isClosed: false };
      sockets.push(socket);
      return { close: () => (socket.isClosed = true) };
    },
  });
  environment.fetchWith = (address, init) => {
    const url = new URL(address, 'http://server.test');
    if (!url.searchParams.has('wait')) {
      if (!isSseBlocked) return streams.fetch(address, init);
      streams.requests.push({ url, headers: new Headers(init.headers) });
      return new Promise((_, reject) =>
        init.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      );
    }
    return new Promise((resolve, reject) => {
      init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      const headers = { 'Content-Type': 'text/event-stream', 'Dunlin-Connection': `poll-${polls.length}` };
      const answer = (text: string, status = 200) => resolve(new Response(text, { status, headers }));
      polls.push({ url, headers: new Headers(init.headers), answer });
    });
  };
});

function clientWith(options: ConstructorParameters<typeof Client>[0] = {}) {
  const client = new Client({ environment, ...options });
  const changes: string[] = [];
  client.onTransport((transport) => changes.push(transport));
  const connection = client.connection({ topics: ['t'] });
  const seen: unknown[] = [];
  connection.on('*', (data) => seen.push(data));
  connection.connect();
  return { client, connection, seen, changes };
}

async function blocked() {
  await settle();
  await environment.clock.advance(FIRST_BYTES_MS);
  await settle();
}

async function onSocket(options: ConstructorParameters<typeof Client>[0] = {}) {
  const made = clientWith(options);
  await blocked();
  sockets[0]!.handlers.onMessage(hello('socket-1'));
  await settle();
  expect(made.connection.state.name).toBe('live');
  return made;
}

describe('Transports', () => {
  test('A stream whose bytes arrive stays with server-sent events', async () => {
    isSseBlocked = false;
    const { client, changes } = clientWith();
    await blocked();
    streams.last.control('e-1', 'hello', { connectionId: 'c', position: 'e-1' });
    await environment.clock.advance(RETRY_MS);
    expect([client.transport, changes, sockets, polls]).toEqual(['sse', [], [], []]);
  });

  test('A stream without first bytes changes to a WebSocket', async () => {
    const { client, connection, seen, changes } = await onSocket();
    expect(sockets[0]).toMatchObject({ protocol: 'dunlin.v1' });
    expect(sockets[0]!.url.searchParams.get('device')).toBe(client.deviceId);
    sockets[0]!.handlers.onMessage('id: e-2\nevent: x\ntopic: t\ndata: 1\n\n');
    await settle();
    expect([seen, connection.position, client.transport, changes]).toEqual([
      [1],
      'e-2',
      'webSocket',
      ['webSocket'],
    ]);
    expect(connection.connectionId).toBe('socket-1');
  });

  test('A WebSocket that ends is opened again from the last position', async () => {
    const { connection } = await onSocket();
    sockets[0]!.handlers.onMessage('id: e-7\nevent: x\ndata: 1\n\n');
    sockets[0]!.handlers.onClose();
    await settle();
    expect(connection.state.name).toBe('waiting');
    await environment.clock.advance(1000);
    await settle();
    expect(sockets[1]!.url.searchParams.get('lastEventId')).toBe('e-7');
    expect(streams.requests).toHaveLength(1);
  });

  test('A refused WebSocket changes to long polls without delay', async () => {
    const { client, connection, seen } = clientWith();
    await blocked();
    sockets[0]!.handlers.onClose();
    await settle();
    expect(polls[0]!.url.searchParams.get('wait')).toBe('0');
    polls[0]!.answer(`${hello('poll-1')}id: e-1\n\n`);
    await settle();
    expect(connection.state.name).toBe('live');
    expect(polls[1]!.url.searchParams.get('wait')).toBe('25');
    expect(polls[1]!.headers.get('Last-Event-ID')).toBe('e-1');
    polls[1]!.answer('id: e-4\nevent: x\ndata: 4\n\nid: e-6\n\n');
    await settle();
    expect([seen, connection.position, client.transport]).toEqual([[4], 'e-6', 'longPoll']);
    expect(polls[2]!.headers.get('Last-Event-ID')).toBe('e-6');
  });

  test('A WebSocket without a first message changes to long polls', async () => {
    clientWith();
    await blocked();
    await blocked();
    expect(sockets[0]!.isClosed).toBe(true);
    expect(polls).toHaveLength(1);
  });

  test('A failed poll resumes, and a refusal has its reason', async () => {
    const { connection } = clientWith({ transports: ['longPoll'] });
    await settle();
    polls[0]!.answer(`${hello('poll-1')}id: e-5\n\n`);
    await settle();
    polls[1]!.answer('', 502);
    await settle();
    expect(connection.state).toMatchObject({ name: 'waiting', problem: { kind: 'network' } });
    await environment.clock.advance(1000);
    await settle();
    expect(polls[2]!.headers.get('Last-Event-ID')).toBe('e-5');
    polls[2]!.answer('', 403);
    await settle();
    expect(connection.state).toMatchObject({ name: 'closed', problem: { status: 403 } });
  });

  test('A goodbye ends the polls and is followed', async () => {
    const { connection } = clientWith({ transports: ['longPoll'] });
    await settle();
    polls[0]!.answer(`${hello('poll-1')}id: e-5\n\n`);
    await settle();
    polls[1]!.answer(
      'event: dunlin.goodbye\ncontrol: goodbye\ndata: {"reason":"draining","reconnectInMs":700}\n\n',
    );
    await settle();
    expect(connection.state).toMatchObject({ name: 'waiting', delayMs: 700 });
    expect(polls).toHaveLength(2);
  });

  test('A short heartbeat shortens the wait, so that the watchdog sees bytes', async () => {
    clientWith({ transports: ['longPoll'] });
    await settle();
    polls[0]!.answer(hello('poll-1').replace('15', '2'));
    await settle();
    expect(polls[1]!.url.searchParams.get('wait')).toBe('4');
  });

  test('The best transport is tried again later, and kept if it works', async () => {
    const { client, connection, changes } = await onSocket();
    isSseBlocked = false;
    for (let passed = 0; passed < RETRY_MS; passed += 30_000) {
      expect(sockets[0]!.isClosed).toBe(false);
      sockets[0]!.handlers.onMessage(':\n\n');
      await environment.clock.advance(30_000);
    }
    await settle();
    expect(sockets[0]!.isClosed).toBe(true);
    expect(streams.last.lastEventId).toBe('e-1');
    streams.last.control(undefined, 'hello', { connectionId: 'c', position: 'e-1' });
    await settle();
    expect([connection.state.name, client.transport, changes]).toEqual(['live', 'sse', ['webSocket', 'sse']]);
  });

  test('What worked is remembered for the network until it expires', async () => {
    const { client } = await onSocket();
    client.dispose();
    expect(new Client({ environment }).transport).toBe('webSocket');
    network.type = 'cellular';
    expect(new Client({ environment }).transport).toBe('sse');
    network.type = 'wifi';
    environment.clock.now += RETRY_MS;
    expect(new Client({ environment }).transport).toBe('sse');
  });

  test('An unreachable server changes nothing', async () => {
    environment.fetchWith = () => Promise.reject(new TypeError('fetch failed'));
    const { client, connection } = clientWith();
    await settle();
    expect(connection.state).toMatchObject({ name: 'waiting', problem: { kind: 'network' } });
    expect([client.transport, sockets]).toEqual(['sse', []]);
  });

  test('A token becomes a ticket and never enters the address', async () => {
    const send = environment.fetchWith;
    environment.fetchWith = (url, init) =>
      url.endsWith('/api/v1/auth/ticket')
        ? Promise.resolve(
            Response.json({ ticket: new Headers(init.headers).get('Authorization') ? 'tic ket' : '' }),
          )
        : send(url, init);
    clientWith({ token: () => 'secret' });
    await blocked();
    expect(sockets[0]!.url.searchParams.get('ticket')).toBe('tic ket');
    expect(sockets[0]!.url.href).not.toContain('secret');
  });

  test('A page that disconnects closes its WebSocket', async () => {
    const { connection } = await onSocket();
    connection.disconnect();
    await settle();
    expect(sockets[0]!.isClosed).toBe(true);
  });

  test('A page that reads too slowly breaks its WebSocket and resumes', async () => {
    const { connection } = await onSocket();
    const large = `id: e-9\nevent: x\ndata: "${'x'.repeat(1024 * 1024)}"\n\n`;
    for (let i = 0; i < 8; i++) sockets[0]!.handlers.onMessage(large);
    await settle();
    expect(sockets[0]!.isClosed).toBe(true);
    expect(connection.state.name).toBe('waiting');
  });
});
