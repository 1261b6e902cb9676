import { beforeEach, describe, expect, test } from 'vitest';
import { environment, saves, store, record, setUp } from './setup';

beforeEach(setUp);

describe('Remote changes', () => {
  test('Older updates never overwrite newer ones', () => {
    store.update('1', { name: 'new' }, 5);
    store.update('1', { name: 'old' }, 4);
    expect(store.record('1')).toEqual(record(5, { name: 'new' }));
  });

  test('An older update of another field is still taken', () => {
    store.update('1', { name: 'new' }, 5);
    store.update('1', { cost: 6 }, 4);
    expect(store.record('1')).toEqual(record(5, { name: 'new', cost: 6 }));
  });

  test('A repeated event changes nothing and wakes nobody', () => {
    store.update('1', { name: 'new' }, 5);
    let woken = 0;
    store.subscribe(() => woken++);
    const before = store.get();
    store.update('1', { name: 'new' }, 5);
    expect(woken).toBe(0);
    expect(store.get()).toBe(before);
  });

  test('An update of an unknown record returns false and creates no record', () => {
    expect(store.update('404', { name: 'x' }, 1)).toBe(false);
    expect(store.record('404')).toBeUndefined();
  });

  test('The echo of a save replaces the optimistic value without flicker', async () => {
    const shown: string[] = [];
    store.subscribe(() => shown.push(store.record('1')!.name));
    void store.edit('1', { name: ' John ' }, { immediate: true });
    store.update('1', { name: 'John' }, 2);
    await saves[0]!.answer({ version: 2 });
    expect(store.record('1')).toEqual(record(2, { name: 'John' }));
    expect(shown).not.toContain('Ann');
  });

  test('An update older than a confirmed save does not undo it without an echo', async () => {
    void store.edit('1', { name: 'John' }, { immediate: true });
    await saves[0]!.answer({ version: 3 });
    store.update('1', { name: 'earlier', cost: 6 }, 2);
    expect(store.record('1')).toEqual(record(3, { name: 'John', cost: 6 }));
    store.update('1', { cost: 7 }, 4);
    expect(store.record('1')).toEqual(record(4, { name: 'John', cost: 7 }));
  });

  test('An update newer than an answered save wins', async () => {
    void store.edit('1', { name: 'John' }, { immediate: true });
    store.update('1', { name: 'Eve' }, 3);
    await saves[0]!.answer({ version: 2 });
    expect(store.record('1')!.name).toBe('Eve');
  });

  test('A removed record refuses edits, late updates do not restore it', async () => {
    const outcome = store.edit('1', { name: 'John' });
    store.remove('1');
    expect(await outcome).toMatchObject({ status: 'refused', problem: { kind: 'notFound' } });
    store.put(record(1));
    expect(store.update('1', { name: 'x' }, 9)).toBe(false);
    expect(store.record('1')).toBeUndefined();
    await environment.clock.advance(10_000);
    expect(saves).toHaveLength(0);
    store.put(record(2));
    expect(store.record('1')).toEqual(record(2));
  });
});

describe('A field that is being edited', () => {
  test('Remote values are kept and not shown until the edit ends', () => {
    store.beginEdit('1', 'name');
    store.update('1', { name: 'Eve', cost: 6 }, 2);
    expect(store.record('1')).toMatchObject({ name: 'Ann', cost: 6 });
    store.endEdit('1', 'name');
    expect(store.record('1')).toMatchObject({ name: 'Eve', cost: 6 });
  });

  test('The full sync does not touch it', () => {
    store.beginEdit('1', 'name');
    void store.edit('1', { name: 'John' });
    store.merge([record(7, { name: 'Eve', cost: 6 })], { since: store.mark(), complete: true });
    expect(store.record('1')).toMatchObject({ name: 'John', cost: 6 });
  });

  test('A save during the edit keeps the saved value until the edit ends', async () => {
    store.beginEdit('1', 'name');
    void store.edit('1', { name: 'John' }, { immediate: true });
    await saves[0]!.answer({ version: 2 });
    store.update('1', { name: 'Eve' }, 3);
    expect(store.record('1')!.name).toBe('John');
    store.endEdit('1', 'name');
    expect(store.record('1')!.name).toBe('Eve');
  });

  test('Escape takes back what was not sent', async () => {
    store.beginEdit('1', 'name');
    void store.edit('1', { name: 'John' });
    store.cancelEdit('1', 'name');
    await environment.clock.advance(10_000);
    expect(store.record('1')!.name).toBe('Ann');
    expect(saves).toHaveLength(0);
    expect(environment.clock.pending).toEqual([]);
  });

  test('Escape on one field keeps the edit of another', async () => {
    void store.edit('1', { name: 'John' });
    void store.edit('1', { cost: 8 });
    store.cancelEdit('1', 'name');
    await environment.clock.advance(1000);
    expect(saves.map((save) => save.changes)).toEqual([{ cost: 8 }]);
  });
});

describe('The full sync', () => {
  test('It brings what was missed and removes what is gone', () => {
    store.put(record(1, { id: 2 }));
    const since = store.mark();
    store.merge([record(3, { name: 'Eve' }), record(1, { id: 3 })], { since, complete: true });
    expect([...store.get().records.keys()]).toEqual(['1', '3']);
    expect(store.record('1')!.name).toBe('Eve');
  });

  test('Data that is older than an event that arrived meanwhile is not applied', () => {
    const since = store.mark();
    store.update('1', { name: 'Eve' }, 3);
    store.merge([record(2, { name: 'stale', cost: 6 })], { since, complete: true });
    expect(store.record('1')).toEqual(record(3, { name: 'Eve', cost: 6 }));
  });

  test('Data of the same version requested before a save does not undo it', async () => {
    const since = store.mark();
    void store.edit('1', { name: 'John' }, { immediate: true });
    await saves[0]!.answer();
    store.merge([record(1)], { since, complete: true });
    expect(store.record('1')!.name).toBe('John');
  });

  test('A record that was created meanwhile is not removed', () => {
    const since = store.mark();
    store.put(record(1, { id: 2 }));
    store.merge([record(1)], { since, complete: true });
    expect(store.record('2')).toBeDefined();
  });

  test('A record that was removed meanwhile does not come back', () => {
    const since = store.mark();
    store.remove('1', 2);
    store.merge([record(1)], { since, complete: true });
    expect(store.record('1')).toBeUndefined();
  });

  test('A page of the whole removes nothing', () => {
    store.put(record(1, { id: 2 }));
    store.merge([record(1)], { since: store.mark() });
    expect(store.get().records.size).toBe(2);
  });

  test('It wakes the page once', () => {
    let woken = 0;
    store.subscribe(() => woken++);
    const many = Array.from({ length: 100 }, (_, index) => record(2, { id: index }));
    store.merge(many, { since: store.mark(), complete: true });
    expect(woken).toBe(1);
  });
});
