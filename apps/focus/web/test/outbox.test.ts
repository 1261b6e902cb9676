// @vitest-environment happy-dom
import { DunlinError, type Environment, type Problem } from '@dunlin/client';
import { beforeEach, describe, expect, test } from 'vitest';
import { Outbox, type OutboxOptions, type PendingMutation, type Versioned } from '../src/state/outbox';

const offline = { kind: 'network', code: 'network', title: 'No network' } as const;
const mutation = (id: string, method: PendingMutation['method'] = 'POST'): PendingMutation => ({
  id,
  kind: 'task',
  method,
  path: '/',
});

let ids = 0;
let timers: (() => void)[];
let sent: string[];
let refused: string[];
let answer: (mutation: PendingMutation) => Problem | undefined;
let now: Versioned | undefined;

const open = () => new Outbox(optionsOf('test alice'));

function optionsOf(prefix: string): OutboxOptions {
  return {
    environment: {
      randomId: () => `r${ids++}`,
      setTimer: (_: number, callback: () => void) => (timers.push(callback), () => {}),
    } as unknown as Environment,
    storage: localStorage,
    prefix,
    send: async (each) => {
      const problem = answer(each);
      if (problem) throw new DunlinError(problem);
      sent.push([each.method, each.id, each.version].filter((part) => part !== undefined).join(' '));
      return now;
    },
    onChange: () => {},
    onRefused: (each) => refused.push(each.id),
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  localStorage.clear();
  [timers, sent, refused, answer, now] = [[], [], [], () => undefined, undefined];
});

describe('The outbox', () => {
  test('sends at once, in order, and keeps nothing of what arrived', async () => {
    const outbox = open();
    outbox.add(mutation('a'));
    outbox.add(mutation('b'));
    outbox.add(mutation('a', 'DELETE'));
    await settle();
    expect(sent).toEqual(['POST a', 'POST b', 'DELETE a']);
    expect([outbox.waiting.length, localStorage.length]).toEqual([0, 0]);
  });

  test('waits without network, over a reload, and goes on in order', async () => {
    answer = () => offline;
    const before = open();
    before.add(mutation('a'));
    before.add(mutation('b'));
    await settle();
    expect([sent.length, before.waiting.length, timers.length > 0]).toEqual([0, 2, true]);
    answer = () => undefined;
    const after = open();
    expect(after.waiting.map(({ id }) => id)).toEqual(['a', 'b']);
    await after.flush();
    expect(sent).toEqual(['POST a', 'POST b']);
    expect(open().waiting).toEqual([]);
  });

  test('gives back what the server refuses, and goes on with the rest', async () => {
    answer = ({ id }) => (id === 'bad' ? { kind: 'invalid', code: 'invalid_field', title: 'No' } : undefined);
    const outbox = open();
    outbox.add(mutation('bad'));
    outbox.add(mutation('good'));
    await settle();
    expect([refused, sent, outbox.waiting.length]).toEqual([['bad'], ['POST good'], 0]);
  });

  test('is of one user, also where the id of another begins like theirs', async () => {
    answer = () => offline;
    const other = new Outbox(optionsOf('test alice 2'));
    other.add(mutation('not hers'));
    await settle();
    expect(open().waiting).toEqual([]);
  });

  test('that was disposed of sends nothing, and keeps what waits', async () => {
    answer = () => offline;
    const outbox = open();
    outbox.add(mutation('a'));
    await settle();
    outbox.dispose();
    answer = () => undefined;
    timers.forEach((run) => run());
    await outbox.flush();
    expect([sent, localStorage.length]).toEqual([[], 1]);
  });

  test('waits for a sign-in without asking again and again', async () => {
    answer = () => ({ kind: 'signedOut', code: 'user_changed', title: 'Another user' });
    const outbox = open();
    outbox.add(mutation('a'));
    await settle();
    expect([timers.length, outbox.waiting.length, refused]).toEqual([0, 1, []]);
  });

  test('takes a thing that is gone for deleted, and survives what it cannot read', async () => {
    localStorage.setItem('test alice 0 x', 'not json');
    answer = () => ({ kind: 'notFound', code: 'not_found', title: 'Gone' });
    const outbox = open();
    outbox.add(mutation('a', 'DELETE'));
    await settle();
    expect([refused, outbox.waiting.length, localStorage.length]).toEqual([[], 0, 0]);
  });
});

const edit = (title: string, before: string, version: number): PendingMutation => ({
  ...mutation('a', 'PATCH'),
  body: { title },
  before: { title: before },
  version,
});
const changed = (current: Versioned): Problem => ({
  kind: 'conflict',
  code: 'version_mismatch',
  title: 'Changed',
  status: 412,
  detail: { current },
});

describe('An edit in the outbox', () => {
  test('waits over a reload behind what it was made on, and is made on the version that this has got', async () => {
    answer = () => offline;
    const before = open();
    before.add(mutation('a'));
    before.add(edit('two', 'one', 0));
    before.add(edit('three', 'two', 0));
    await settle();
    answer = () => undefined;
    const after = open();
    expect(after.waiting.map(({ body }) => body?.['title'])).toEqual([undefined, 'two', 'three']);
    now = { version: 7, title: 'one' };
    const send = after.flush();
    await Promise.resolve();
    now = { version: 8, title: 'two' };
    await send;
    expect([sent.slice(0, 2), sent.length, localStorage.length]).toEqual([['POST a', 'PATCH a 7'], 3, 0]);
  });

  test('is made again on a newer version, when that has left alone what it writes', async () => {
    answer = ({ version }) =>
      version === 3 ? changed({ version: 9, title: 'one', notes: 'new' }) : undefined;
    const outbox = open();
    outbox.add(edit('two', 'one', 3));
    await settle();
    expect([sent, refused, outbox.waiting.length]).toEqual([['PATCH a 9'], [], 0]);
  });

  test('overwrites nothing that another device wrote: it is kept over a reload until a person decides, and nothing else waits for it', async () => {
    answer = ({ version }) => (version === 3 ? changed({ version: 9, title: 'theirs' }) : undefined);
    const before = open();
    before.add(edit('two', 'one', 3));
    before.add(edit('three', 'two', 3));
    before.add(mutation('b'));
    await settle();
    expect(sent).toEqual(['POST b']);
    const after = open();
    await after.flush();
    expect(sent).toEqual(['POST b']);
    expect(after.waiting.map(({ theirs }) => theirs?.version)).toEqual([9, undefined]);
    now = { version: 10, title: 'two' };
    after.resolve(after.waiting[0]!, 'ours');
    await settle();
    expect(sent).toEqual(['POST b', 'PATCH a 9', 'PATCH a 10']);
  });

  test('is given up, with what was built on it, where the other is kept', async () => {
    answer = ({ method }) => (method === 'PATCH' ? changed({ version: 9, title: 'theirs' }) : undefined);
    const outbox = open();
    outbox.add(edit('two', 'one', 3));
    outbox.add(edit('three', 'two', 3));
    await settle();
    outbox.resolve(outbox.waiting[0]!, 'theirs');
    await settle();
    expect([sent, outbox.waiting.length, localStorage.length]).toEqual([[], 0, 0]);
  });

  test('that another tab has sent is not sent again', async () => {
    answer = () => offline;
    const one = open();
    one.add(edit('two', 'one', 3));
    await settle();
    const other = open();
    answer = () => undefined;
    await one.flush();
    await other.flush();
    expect([sent, other.waiting.length]).toEqual([['PATCH a 3'], 0]);
  });
});
