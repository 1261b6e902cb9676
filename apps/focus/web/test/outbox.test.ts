// @vitest-environment happy-dom
import { DunlinError, type Environment, type Problem } from '@dunlin/client';
import { beforeEach, describe, expect, test } from 'vitest';
import { Outbox, type Parcel } from '../src/state/outbox';

const offline = { kind: 'network', code: 'network', title: 'No network' } as const;
const parcel = (id: string, method: Parcel['method'] = 'POST'): Parcel => ({
  id,
  kind: 'task',
  method,
  path: '/',
});

let timers: (() => void)[];
let sent: string[];
let refused: string[];
let answer: (parcel: Parcel) => Problem | undefined;

function open(): Outbox {
  return new Outbox({
    environment: {
      setTimer: (_: number, callback: () => void) => (timers.push(callback), () => {}),
    } as unknown as Environment,
    storage: localStorage,
    prefix: 'test alice',
    send: async (each) => {
      const problem = answer(each);
      if (problem) throw new DunlinError(problem);
      sent.push(`${each.method} ${each.id}`);
    },
    onChange: () => {},
    onRefused: (each) => refused.push(each.id),
  });
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  localStorage.clear();
  [timers, sent, refused, answer] = [[], [], [], () => undefined];
});

describe('The outbox', () => {
  test('sends at once, in order, and keeps nothing of what arrived', async () => {
    const outbox = open();
    outbox.add(parcel('a'));
    outbox.add(parcel('b'));
    outbox.add(parcel('a', 'DELETE'));
    await settle();
    expect(sent).toEqual(['POST a', 'POST b', 'DELETE a']);
    expect([outbox.waiting.length, localStorage.length]).toEqual([0, 0]);
  });

  test('waits without network, over a reload, and goes on in order', async () => {
    answer = () => offline;
    const before = open();
    before.add(parcel('a'));
    before.add(parcel('b'));
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
    outbox.add(parcel('bad'));
    outbox.add(parcel('good'));
    await settle();
    expect([refused, sent, outbox.waiting.length]).toEqual([['bad'], ['POST good'], 0]);
  });

  test('takes a thing that is gone for deleted, and survives what it cannot read', async () => {
    localStorage.setItem('test alice 0 x', 'not json');
    answer = () => ({ kind: 'notFound', code: 'not_found', title: 'Gone' });
    const outbox = open();
    outbox.add(parcel('a', 'DELETE'));
    await settle();
    expect([refused, outbox.waiting.length, localStorage.length]).toEqual([[], 0, 0]);
  });
});
