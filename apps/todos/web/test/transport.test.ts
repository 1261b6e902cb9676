import { DunlinError, type Client, type Problem } from '@dunlin/client';
import type { PushRequestV1, ReadonlyJSONValue } from 'replicache';
import { beforeEach, describe, expect, test } from 'vitest';
import { Transport } from '../src/api/transport';

interface Sent {
  readonly path: string;
  readonly names: readonly string[];
}

let sent: Sent[];
let givenUp: [ReadonlyJSONValue, string][];
let refusals: number;
let goOn: () => void;
let judge: (request: PushRequestV1) => Problem | undefined;
let transport: Transport;
let answer: unknown;

const problem = (kind: Problem['kind'], status: number): Problem =>
  ({ kind, status, code: kind, title: kind }) as Problem;
const mutation = (id: number, title: string) => ({
  id,
  name: 'createTask',
  args: { title },
  timestamp: 0,
  clientID: 'client',
});
const push = (...titles: string[]) =>
  transport.push(
    {
      pushVersion: 1,
      schemaVersion: '1',
      profileID: 'p',
      clientGroupID: 'g',
      mutations: titles.map((title, i) => mutation(i + 1, title)),
    },
    'request',
  );
const holds = (text: string) => (request: PushRequestV1) =>
  request.mutations.some(({ args }) => JSON.stringify(args).includes(text))
    ? problem('invalid', 400)
    : undefined;

beforeEach(() => {
  [sent, givenUp, refusals, goOn, judge] = [[], [], 0, () => {}, () => undefined];
  answer = {};
  const send = async (_: string, path: string, { body }: { body: PushRequestV1 }) => {
    sent.push({
      path,
      names: body.mutations?.map(({ name, args }) => (args ? String((args as any).title) : name)),
    });
    const refused = judge(body);
    if (refused) throw new DunlinError(refused);
    return { status: 200, headers: new Headers(), body: answer };
  };
  transport = new Transport({
    client: { requests: { send } } as unknown as Client,
    setTimer: () => () => {},
    onGivenUp: (args, { kind }) => givenUp.push([args, kind]),
    onRefused: () => {
      refusals++;
      return new Promise((resolve) => (goOn = resolve));
    },
  });
});

describe('A push', () => {
  test.each([1, 2, 3, 4, 5])(
    'gives up the one mutation that the server cannot take, at place %d',
    async (at) => {
      judge = holds('poison');
      const titles = Array.from({ length: 5 }, (_, i) => (i + 1 === at ? 'poison' : `task ${i + 1}`));
      expect((await push(...titles)).httpRequestInfo.httpStatusCode).toBe(200);
      expect(givenUp).toEqual([[{ title: 'poison' }, 'invalid']]);
      // All other mutations arrived in order. A mutation without effect replaces the dropped one, so that the server still counts its id.
      const arrived = sent.flatMap(({ names }) => (names.includes('poison') ? [] : names));
      expect(arrived).toEqual(titles.map((title) => (title === 'poison' ? 'givenUp' : title)));
    },
  );

  test('that is refused as a whole waits until a retry is useful', async () => {
    judge = () => problem('forbidden', 403);
    const pushing = push('a', 'b');
    await new Promise((resolve) => setTimeout(resolve));
    expect([sent.length, refusals, givenUp]).toEqual([1, 1, []]);
    goOn();
    expect((await pushing).httpRequestInfo.httpStatusCode).toBe(403);
    expect(sent.length).toBe(1);
  });

  test.each([
    ['network', 0],
    ['busy', 503],
    ['signedOut', 409],
  ] as const)('that failed with %s is left to Replicache, whole', async (kind, status) => {
    judge = () => problem(kind, status);
    expect((await push('a', 'b')).httpRequestInfo.httpStatusCode).toBe(status);
    expect([sent.length, refusals, givenUp]).toEqual([1, 0, []]);
  });

  test.each([{}, '', undefined])('that succeeded with the body %j has no response', async (body) => {
    answer = body;
    expect(await push('a')).toEqual({
      response: undefined,
      httpRequestInfo: { httpStatusCode: 200, errorMessage: '' },
    });
  });

  test('of an unknown client gets that answer', async () => {
    answer = { error: 'ClientStateNotFound' };
    expect((await push('a')).response).toEqual(answer);
  });

  test('of a closed page sends nothing', async () => {
    transport.close();
    expect((await push('a')).httpRequestInfo.httpStatusCode).toBe(0);
    expect(sent).toEqual([]);
  });
});
