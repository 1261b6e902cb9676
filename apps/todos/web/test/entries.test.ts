import { describe, expect, test } from 'vitest';
import { dueBy, isDone, search, sorted, titleOf, type Entry } from '../src/state/entries';
import type { TodoList } from '../src/state/mutators';

let created = 0;
const base = (listId: string) => ({
  id: `e${++created}`,
  listId,
  createdBy: { id: 'anna', name: 'Anna' },
  createdAt: created,
});
const task = (listId: string, title: string, more: object = {}): Entry => ({
  ...base(listId),
  title,
  note: '',
  done: false,
  ...more,
});
const item = (listId: string, name: string, bought = false): Entry => ({
  ...base(listId),
  name,
  quantity: 1,
  bought,
});
const lists = [{ id: 'home' }, { id: 'shop' }, { id: 'work' }] as unknown as TodoList[];
const titles = (entries: readonly Entry[]) => entries.map(titleOf);

test('a list shows open entries before the others', () => {
  const entries = [task('home', 'a', { done: true }), task('home', 'b'), task('home', 'c', { order: 'a0' })];
  expect(titles(sorted(entries))).toEqual(['c', 'b', 'a']);
  expect(sorted(entries).map(isDone)).toEqual([false, false, true]);
});

describe('The tasks for today', () => {
  test('are open and due, of all lists, the oldest first', () => {
    const entries = [
      task('work', 'late', { due: '2026-11-01' }),
      task('work', 'today too', { due: '2026-11-29' }),
      task('home', 'today', { due: '2026-11-29' }),
      task('home', 'tomorrow', { due: '2026-11-30' }),
      task('home', 'done', { due: '2026-11-29', done: true }),
      task('home', 'some day'),
      task('left', 'of a list that is gone', { due: '2026-11-29' }),
      item('shop', 'Tea'),
    ];
    expect(titles(dueBy('2026-11-29', entries, lists))).toEqual(['late', 'today', 'today too']);
  });
});

describe('A search', () => {
  const entries = [
    task('work', 'Call the café', { note: 'about tables' }),
    task('home', 'Call Mum', { done: true }),
    item('shop', 'Call cards'),
    task('left', 'Call nobody'),
  ];

  test.each([
    ['call', ['Call cards', 'Call the café', 'Call Mum']],
    ['CAFÉ call', ['Call the café']],
    ['tables', ['Call the café']],
    ['call dad', []],
    ['  ', []],
  ])('for “%s”', (text, found) => {
    expect(titles(search(text, entries, lists))).toEqual(found);
  });
});
