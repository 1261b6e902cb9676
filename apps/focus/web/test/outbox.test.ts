// @vitest-environment happy-dom
import { DunlinError, type Environment, type Problem } from '@dunlin/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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
  test('sends at once and in order, and removes what was accepted', async () => {
    const outbox = open();
    outbox.add(mutation('a'));
    outbox.add(mutation('b'));
    outbox.add(mutation('a', 'DELETE'));
    await settle();
    expect(sent).toEqual(['POST a', 'POST b', 'DELETE a']);
    expect([outbox.waiting.length, localStorage.length]).toEqual([0, 0]);
  });

  test('waits without network, across a reload, and continues in order', async () => {
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

  test('reports refused mutations and continues', async () => {
    answer = ({ id }) => (id === 'bad' ? { kind: 'invalid', code: 'invalid_field', title: 'No' } : undefined);
    const outbox = open();
    outbox.add(mutation('bad'));
    outbox.add(mutation('good'));
    await settle();
    expect([refused, sent, outbox.waiting.length]).toEqual([['bad'], ['POST good'], 0]);
  });

  test('separates users whose ids share a prefix', async () => {
    answer = () => offline;
    const other = new Outbox(optionsOf('test alice 2'));
    other.add(mutation('not hers'));
    await settle();
    expect(open().waiting).toEqual([]);
  });

  test('stops after disposal and keeps pending mutations', async () => {
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

  test('waits for a sign-in without retries', async () => {
    answer = () => ({ kind: 'signedOut', code: 'user_changed', title: 'Another user' });
    const outbox = open();
    outbox.add(mutation('a'));
    await settle();
    expect([timers.length, outbox.waiting.length, refused]).toEqual([0, 1, []]);
  });

  test('treats a missing object as deleted and skips invalid entries', async () => {
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

/** A storage that refuses writes while `isFull`. Items remain readable and removable, as in a browser. */
function limitedStorage(): Storage & { isFull: boolean } {
  const items = new Map<string, string>();
  return {
    isFull: false,
    get length() {
      return items.size;
    },
    key: (i: number) => [...items.keys()][i] ?? null,
    getItem: (key: string) => items.get(key) ?? null,
    setItem(key: string, value: string) {
      if (this.isFull) throw new DOMException('Full', 'QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key: string) => void items.delete(key),
    clear: () => items.clear(),
  };
}

describe('The order of the outbox', () => {
  afterEach(() => vi.useRealTimers());

  test('does not depend on the clock and continues across reloads', async () => {
    answer = () => offline;
    vi.useFakeTimers({ now: 2_000_000_000_000, toFake: ['Date'] });
    const before = open();
    before.add(mutation('a'));
    before.add(mutation('b'));
    vi.setSystemTime(1_000_000_000_000);
    const after = open();
    after.add(mutation('c'));
    await settle();
    expect(open().waiting.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  test('continues after mutations of the earlier format, whose order is a time', () => {
    answer = () => offline;
    localStorage.setItem('test alice 001764000000000.000003 x', JSON.stringify(mutation('old')));
    const outbox = open();
    outbox.add(mutation('new'));
    expect(open().waiting.map(({ id }) => id)).toEqual(['old', 'new']);
  });
});

describe('An outbox with a full storage', () => {
  test('lists and sends each mutation once, in order', async () => {
    const storage = limitedStorage();
    answer = () => offline;
    const outbox = new Outbox({ ...optionsOf('test alice'), storage });
    outbox.add(mutation('a'));
    storage.isFull = true;
    outbox.add(mutation('b'));
    storage.isFull = false;
    outbox.add(mutation('c'));
    await settle();
    expect(outbox.waiting.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    storage.isFull = true;
    answer = () => undefined;
    await outbox.flush();
    expect([sent, storage.length]).toEqual([['POST a', 'POST b', 'POST c'], 0]);
  });

  test('shows a rebased edit once and keeps the older state for a reload', async () => {
    const storage = limitedStorage();
    answer = ({ version }) => (version === 3 ? changed({ version: 9, title: 'theirs' }) : offline);
    const outbox = new Outbox({ ...optionsOf('test alice'), storage });
    outbox.add(edit('two', 'one', 3));
    storage.isFull = true;
    await settle();
    await outbox.flush();
    expect(outbox.waiting.map(({ theirs }) => theirs?.version)).toEqual([9]);
    const after = new Outbox({ ...optionsOf('test alice'), storage });
    expect(after.waiting.map(({ version }) => version)).toEqual([3]);
    // Another tab sends it: this page does not send its newer state again.
    answer = () => undefined;
    await after.flush();
    await outbox.flush();
    expect([sent, outbox.waiting.length]).toEqual([['PATCH a 3'], 0]);
  });

  test('stores what did not fit as soon as there is room', async () => {
    const storage = limitedStorage();
    answer = () => offline;
    const outbox = new Outbox({ ...optionsOf('test alice'), storage });
    storage.isFull = true;
    outbox.add(mutation('a'));
    await settle();
    expect(storage.length).toBe(0);
    storage.isFull = false;
    await outbox.flush();
    expect([storage.length, outbox.waiting.length]).toEqual([1, 1]);
  });
});

describe('An edit in the outbox', () => {
  test('waits for the mutation that it is based on, and uses the new version', async () => {
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

  test('is rebased on a newer version without a conflict', async () => {
    answer = ({ version }) =>
      version === 3 ? changed({ version: 9, title: 'one', notes: 'new' }) : undefined;
    const outbox = open();
    outbox.add(edit('two', 'one', 3));
    await settle();
    expect([sent, refused, outbox.waiting.length]).toEqual([['PATCH a 9'], [], 0]);
  });

  test('with a conflict waits for the user across reloads, others are sent', async () => {
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

  test('is dropped with dependent edits when the user keeps theirs', async () => {
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
