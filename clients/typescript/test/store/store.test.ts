import { beforeEach, describe, expect, test } from 'vitest';
import { type Case, environment, saves, store, storeWith, record, setUp } from './setup';

beforeEach(setUp);

describe('One request per burst', () => {
  test('Typing is shown at once and saved once, 1 s after the last keystroke', async () => {
    for (const name of ['J', 'Jo', 'Joh', 'John']) {
      void store.edit('1', { name });
      expect(store.record('1')!.name).toBe(name);
      await environment.clock.advance(999);
    }
    expect(saves).toHaveLength(0);
    await environment.clock.advance(1);
    expect(saves.map((save) => save.changes)).toEqual([{ name: 'John' }]);
  });

  test('Edits of several fields of a record go in one request', async () => {
    void store.edit('1', { name: 'John' });
    void store.edit('1', { cost: 7 });
    await environment.clock.advance(1000);
    expect(saves.map((save) => save.changes)).toEqual([{ name: 'John', cost: 7 }]);
  });

  test('A choice from a menu is saved at once, and takes along what waits', () => {
    void store.edit('1', { name: 'John' });
    void store.edit('1', { cost: 7 }, { immediate: true });
    expect(saves.map((save) => save.changes)).toEqual([{ name: 'John', cost: 7 }]);
    expect(environment.clock.pending).toEqual([30_000]);
  });

  test('Two records are saved on their own', async () => {
    store.put(record(1, { id: 2 }));
    void store.edit('1', { name: 'One' });
    void store.edit('2', { name: 'Two' });
    await environment.clock.advance(1000);
    expect(saves.map((save) => save.id)).toEqual(['1', '2']);
  });

  test('Edits during a save are sent after it in one request', async () => {
    void store.edit('1', { name: 'a' }, { immediate: true });
    void store.edit('1', { name: 'b' }, { immediate: true });
    void store.edit('1', { cost: 9 }, { immediate: true });
    expect(saves).toHaveLength(1);
    expect(store.record('1')).toMatchObject({ name: 'b', cost: 9 });
    await saves[0]!.answer({ version: 2 });
    expect(saves.map((save) => save.changes)).toEqual([{ name: 'a' }, { name: 'b', cost: 9 }]);
    expect(store.record('1')).toMatchObject({ name: 'b', cost: 9 });
  });

  test('A burst still being typed when a save completes waits for its own end', async () => {
    void store.edit('1', { name: 'a' }, { immediate: true });
    await environment.clock.advance(500);
    void store.edit('1', { name: 'ab' });
    await saves[0]!.answer({ version: 2 });
    await environment.clock.advance(999);
    expect(saves).toHaveLength(1);
    await environment.clock.advance(1);
    expect(saves).toHaveLength(2);
  });

  test('Flush sends at once and resolves when everything is saved', async () => {
    void store.edit('1', { name: 'a' }, { immediate: true });
    void store.edit('1', { name: 'b' });
    let flushed = false;
    void store.flush().then(() => (flushed = true));
    await saves[0]!.answer({ version: 2 });
    expect([saves.length, flushed]).toEqual([2, false]);
    await saves[1]!.answer({ version: 3 });
    expect(flushed).toBe(true);
    expect(store.get().unsaved.size).toBe(0);
  });

  test('Leaving the page sends what waits, with keepalive', () => {
    void store.edit('1', { name: 'John' });
    environment.signal('pagehide');
    expect(saves).toMatchObject([{ changes: { name: 'John' }, context: { keepalive: true } }]);
  });

  test('The promise of an edit tells what became of it', async () => {
    const saved = store.edit('1', { name: 'a' }, { immediate: true });
    await saves[0]!.answer({ version: 2 });
    expect(await saved).toEqual({ status: 'saved' });
    const refused = store.edit('1', { name: 'b' }, { immediate: true });
    await saves[1]!.fail('held');
    expect(await refused).toMatchObject({ status: 'refused', problem: { kind: 'held' } });
    const discarded = store.edit('1', { name: 'c' });
    store.cancelEdit('1', 'name');
    expect(await discarded).toEqual({ status: 'discarded' });
    expect(store.record('1')!.name).toBe('a');
  });
});

describe('Refused and kept', () => {
  for (const kind of [
    'invalid',
    'forbidden',
    'notFound',
    'held',
    'lost',
    'conflict',
    'unexpected',
  ] as const) {
    test(`A save refused as "${kind}" puts the value back and says so`, async () => {
      const refusals: unknown[] = [];
      store.onRefused((refusal) => refusals.push([refusal.id, refusal.changes, refusal.problem.kind]));
      void store.edit('1', { name: 'John' }, { immediate: true });
      await saves[0]!.fail(kind);
      expect(store.record('1')!.name).toBe('Ann');
      expect(refusals).toEqual([['1', { name: 'John' }, kind]]);
      await environment.clock.advance(120_000);
      expect(saves).toHaveLength(1);
    });
  }

  for (const field of ['cost', 'updates.cost']) {
    test(`A refusal that names the field ${field} drops only that field`, async () => {
      const refusals: unknown[] = [];
      store.onRefused(({ changes }) => refusals.push(changes));
      const named = store.edit('1', { name: 'John' });
      const priced = store.edit('1', { cost: -1 }, { immediate: true });
      await saves[0]!.fail('invalid', { field });
      expect([refusals, store.record('1')]).toMatchObject([[{ cost: -1 }], { name: 'John', cost: 5 }]);
      expect(await priced).toMatchObject({ status: 'refused' });
      expect(saves[1]!.changes).toEqual({ name: 'John' });
      await saves[1]!.answer({ version: 2 });
      expect(await named).toEqual({ status: 'saved' });
      await environment.clock.advance(120_000);
      expect(saves).toHaveLength(2);
    });
  }

  test('A store that was disposed of sends nothing, and keeps what is unsaved', async () => {
    let kept: unknown;
    const store = storeWith({ persistence: { load: () => undefined, store: (unsaved) => (kept = unsaved) } });
    store.put(record(1));
    void store.edit('1', { name: 'John' }, { immediate: true });
    store.dispose();
    await saves[0]!.fail('network');
    void store.edit('1', { cost: 7 }, { immediate: true });
    void store.flush();
    store.resume();
    environment.signal('online');
    environment.signal('pagehide');
    await environment.clock.advance(120_000);
    expect(saves).toHaveLength(1);
    expect(kept).toEqual({ '1': { name: 'John', cost: 7 } });
  });

  test('A refused save does not take back what was typed after it', async () => {
    void store.edit('1', { name: 'a' }, { immediate: true });
    void store.edit('1', { name: 'ab' });
    await saves[0]!.fail('invalid');
    expect(store.record('1')!.name).toBe('ab');
  });

  for (const kind of ['network', 'busy', 'outcomeUnknown', 'signedOut'] as const) {
    test(`An edit whose save failed as "${kind}" is retried with the same id`, async () => {
      void store.edit('1', { name: 'John' }, { immediate: true });
      await saves[0]!.fail(kind);
      expect(store.record('1')!.name).toBe('John');
      expect(store.get().unsaved.has('1')).toBe(true);
      store.resume();
      expect(saves.map((save) => save.changes)).toEqual([{ name: 'John' }, { name: 'John' }]);
      expect(saves[1]!.context.saveId).toBe(saves[0]!.context.saveId);
      await saves[1]!.answer({ version: 2 });
      expect(store.get().unsaved.size).toBe(0);
      expect(store.record('1')).toEqual(record(2, { name: 'John' }));
    });
  }

  test('A save that took some fields and refused others puts only those back', async () => {
    const refusals: unknown[] = [];
    store.onRefused(({ changes, problem }) => refusals.push([changes, problem.kind]));
    const named = store.edit('1', { name: 'John' });
    const priced = store.edit('1', { cost: -1 }, { immediate: true });
    expect(store.unsavedOf('1')).toEqual({ name: 'John', cost: -1 });
    const problem = { kind: 'invalid', code: 'invalid_field', title: 'Wrong.' } as const;
    await saves[0]!.answer({ version: 2, refused: { cost: problem } });
    expect(store.record('1')).toEqual(record(2, { name: 'John' }));
    expect(store.unsavedOf('1')).toBeUndefined();
    expect(refusals).toEqual([[{ cost: -1 }, 'invalid']]);
    expect(await named).toEqual({ status: 'saved' });
    expect(await priced).toEqual({ status: 'refused', problem });
  });

  test('Offline edits are merged and saved when the network returns', async () => {
    void store.edit('1', { name: 'John' }, { immediate: true });
    await saves[0]!.fail('network');
    void store.edit('1', { cost: 8 });
    environment.signal('online');
    expect(saves[1]!.changes).toEqual({ name: 'John', cost: 8 });
    expect(saves[1]!.context.saveId).not.toBe(saves[0]!.context.saveId);
  });

  test('A save that fails for the time being is tried again with backoff', async () => {
    void store.edit('1', { name: 'John' }, { immediate: true });
    const at: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      await saves[attempt]!.fail('network');
      const before = environment.clock.now;
      while (saves.length === attempt + 1) await environment.clock.advance(500);
      at.push(environment.clock.now - before);
    }
    expect(at).toEqual([1000, 2000, 4000, 8000]);
  });

  test('Retry-After is honoured, also when more is typed meanwhile', async () => {
    void store.edit('1', { name: 'John' }, { immediate: true });
    await saves[0]!.fail('busy', { retryAfterMs: 20_000 });
    void store.edit('1', { cost: 8 }, { immediate: true });
    store.resume();
    await environment.clock.advance(19_999);
    expect(saves).toHaveLength(1);
    await environment.clock.advance(1);
    expect(saves).toHaveLength(2);
  });

  test('A save that takes too long is aborted', async () => {
    void store.edit('1', { name: 'John' }, { immediate: true });
    await environment.clock.advance(30_000);
    expect(saves[0]!.context.signal.aborted).toBe(true);
  });

  test('Unsaved edits survive a reload where the application keeps them', async () => {
    let kept: Readonly<Record<string, Partial<Case>>> | undefined;
    const persistence = { load: () => kept, store: (unsaved: typeof kept) => (kept = unsaved) };
    const store = storeWith({ persistence });
    store.put(record(1));
    void store.edit('1', { name: 'John' });
    store.dispose();
    const reloaded = storeWith({ persistence });
    reloaded.merge([record(1)]);
    expect(reloaded.record('1')!.name).toBe('John');
    await environment.clock.advance(1000);
    await saves[0]!.answer({ version: 2 });
    expect(kept).toEqual({});
  });
});
