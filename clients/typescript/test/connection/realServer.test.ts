import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { browserEnvironment } from '../../src/browser';
import { OwnConnection } from '../../src/connection/connection';
import type { ConnectionState } from '../../src/connection/state';
import type { Cancel, Environment } from '../../src/environment';
import { Auth } from '../../src/http/auth';
import { NodeServer } from '../support/nodeServer';
import { Random, testSeed } from '../support/random';

let server: NodeServer;
let base: string;
let connection: OwnConnection;

beforeEach(async () => {
  server = new NodeServer();
  base = await server.listen();
});

afterEach(async () => {
  connection.dispose();
  await server.close();
});

// The real fetch with timers that fire immediately, so that only the network determines the order.
function environment(): Environment {
  return {
    ...browserEnvironment(),
    random: () => 0,
    setTimer: (milliseconds: number, callback: () => void): Cancel => {
      if (milliseconds > 1000) return () => {};
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    },
  };
}

function connect(options: { auth?: Auth } = {}): OwnConnection {
  connection = new OwnConnection({
    environment: environment(),
    auth: options.auth ?? new Auth(),
    deviceId: 'device-1',
    url: `${base}/events`,
    awaitsHello: true,
  });
  connection.connect();
  return connection;
}

function until(name: ConnectionState['name']): Promise<ConnectionState> {
  if (connection.state.name === name) return Promise.resolve(connection.state);
  return new Promise((resolve) => {
    const cancel = connection.onState((state) => {
      if (state.name !== name) return;
      cancel();
      resolve(state);
    });
  });
}

describe('Against a real HTTP server', () => {
  test('a resumed connection has no gap or duplicate', async () => {
    const seed = testSeed();
    const random = new Random(seed);
    const total = 2000;
    const seen: number[] = [];
    connect();
    await until('live');
    const complete = new Promise<void>((resolve) => {
      connection.on('changed', (value: number) => {
        seen.push(value);
        if (value === total) resolve();
      });
    });
    // Cuts streams at random places: during the replay and while events are published.
    server.onStream = () => {
      if (random.below(3) === 0 && seen.length < total / 2) setImmediate(() => server.cut());
    };
    for (let value = 1; value <= total; value++) {
      server.publish(String(value));
      if (random.below(40) === 0) server.cut();
      if (random.below(10) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await complete;
    expect(seen, `seed ${seed}`).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    expect(server.lastEventIds.length).toBeGreaterThan(5);
  });

  test('a connection reconnects after a server outage', async () => {
    connect();
    await until('live');
    const { port } = new URL(base);
    await server.close();
    await until('waiting');
    const entries = server.entries;
    server = new NodeServer();
    server.entries.push(...entries, '"missed"');
    const received = new Promise((resolve) => connection.on('changed', resolve));
    await server.listen(Number(port));
    expect(await received).toBe('missed');
    expect(connection.isConnected()).toBe(true);
  });

  test('disconnecting closes the response at the server', async () => {
    const closed = new Promise<void>((resolve) => {
      server.onStream = (response) => response.on('close', resolve);
    });
    connect();
    await until('live');
    connection.disconnect();
    await closed;
    expect(connection.state.name).toBe('closed');
  });

  test('401 causes one refresh, and the new token is used', async () => {
    const tokens: (string | undefined)[] = [];
    server.refuse = (request, response) => {
      tokens.push(request.headers.authorization);
      if (request.headers.authorization === 'Bearer new') return false;
      response.writeHead(401, { 'Content-Type': 'application/problem+json' }).end('{"code":"auth.expired"}');
      return true;
    };
    let token = 'old';
    const refresh = async () => {
      token = 'new';
      return true;
    };
    connect({ auth: new Auth({ token: () => token, refresh }) });
    await until('live');
    expect(tokens).toEqual(['Bearer old', 'Bearer new']);
  });

  test('403 closes with the problem of the server', async () => {
    server.refuse = (_request, response) => {
      const problem = { code: 'topic.forbidden', title: 'Not yours.', topic: 'secret/1' };
      response.writeHead(403, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(problem));
      return true;
    };
    connect();
    expect(await until('closed')).toMatchObject({
      problem: { kind: 'forbidden', code: 'topic.forbidden', topic: 'secret/1', status: 403 },
    });
  });
});
