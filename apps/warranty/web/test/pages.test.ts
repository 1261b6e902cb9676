import { expect, test } from 'vitest';
import { PAGE_SIZE } from '../src/api/cases';
import { CasePages, pageOf, rowOf } from '../src/state/pages';

const page = (number: number) => Array.from({ length: PAGE_SIZE }, (_, index) => `${number}.${index}`);

test('Rows of pages that are not loaded have no id', () => {
  const pages = new CasePages();
  pages.add(3, page(3), 120);
  const ids = pages.ids();
  expect(ids).toHaveLength(120);
  expect(ids[99]).toBeUndefined();
  expect(ids[100]).toBe('3.0');
  expect(ids[119]).toBe('3.19');
});

test('Another total reports that the other pages are outdated', () => {
  const pages = new CasePages();
  pages.replace(new Map([[1, page(1)]]), 100);
  expect(pages.add(2, page(2), 100)).toBe(false);
  expect(pages.add(2, page(2), 99)).toBe(true);
  pages.replace(new Map([[2, page(2)]]), 99);
  expect([pages.has(1), pages.has(2)]).toEqual([false, true]);
});

test('A case that moved between two loads occurs once', () => {
  const pages = new CasePages();
  pages.add(1, page(1), 100);
  pages.add(2, ['1.49', ...page(2).slice(0, -1)], 100);
  const ids = pages.ids().filter((id) => id !== undefined);
  expect(new Set(ids).size).toBe(ids.length);
});

test('A removed case leaves the list, and a new one is its first', () => {
  const pages = new CasePages();
  pages.add(1, ['a', 'b'], 2);
  pages.remove('a');
  pages.remove('unknown');
  pages.prepend('c');
  expect(pages.ids()).toEqual(['c', 'b']);
  expect(pages.total).toBe(2);
});

test('Pages begin at 1 and rows at 0', () => {
  expect([pageOf(0), pageOf(PAGE_SIZE - 1), pageOf(PAGE_SIZE)]).toEqual([1, 1, 2]);
  expect(rowOf(pageOf(PAGE_SIZE * 4))).toBe(PAGE_SIZE * 4);
});
