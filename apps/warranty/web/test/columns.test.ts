import { expect, test } from 'vitest';
import { ColumnSettings, FIRST_COLUMNS, MAX_WIDTH, visibleColumns, widthOf } from '../src/state/columns';
import { createWarrantyState } from '../src/state/state';
import { fakeStorage } from './branchPage';

function open(userId: string, storage: Storage) {
  const state = createWarrantyState(userId, 1);
  return { settings: new ColumnSettings(state, storage), columns: () => state.getState().columns };
}

test('Hidden columns and widths come back for their user and for nobody else', () => {
  const { storage } = fakeStorage();
  const bob = open('bob', storage);
  bob.settings.setHidden('issues', true);
  bob.settings.setWidth('case', 201.4);
  expect(visibleColumns(bob.columns())).not.toContain('issues');

  const again = open('bob', storage);
  expect(visibleColumns(again.columns())).not.toContain('issues');
  expect(widthOf(again.columns(), 'case')).toBe(201);
  expect(open('bo', storage).columns()).toEqual(FIRST_COLUMNS);
  expect(open('carol', storage).columns()).toEqual(FIRST_COLUMNS);
});

test('A reset removes the choice from the device', () => {
  const { kept, storage } = fakeStorage();
  const bob = open('bob', storage);
  bob.settings.setHidden('issues', true);
  bob.settings.setHidden('cost', true);
  bob.settings.setHidden('issues', false);
  expect(bob.columns().hidden).toEqual(['cost']);
  bob.settings.reset();
  expect(bob.columns()).toEqual(FIRST_COLUMNS);
  expect(kept.size).toBe(0);
});

test.each(['', 'no json', '[]', '{"hidden":"x","widths":7}', '{"widths":{"cost":"wide","nothing":5}}'])(
  'Stored text that is no choice is ignored: %s',
  (text) => {
    const { kept, storage } = fakeStorage();
    kept.set('dunlin.warranty.columns.bob', text);
    expect(open('bob', storage).columns()).toEqual(FIRST_COLUMNS);
  },
);

test('A stored width stays within its limits', () => {
  const { kept, storage } = fakeStorage();
  kept.set('dunlin.warranty.columns.bob', '{"widths":{"cost":99999}}');
  expect(widthOf(open('bob', storage).columns(), 'cost')).toBe(MAX_WIDTH);
});
