import { expect, test } from 'vitest';
import { firstQuery } from '../src/state/state';
import { addressOf, viewOfAddress } from '../src/ui/address';

const viewOf = (address: string) => viewOfAddress(new URL(address, 'http://server.test'));

test('An address leaves out the values of the first view', () => {
  expect(addressOf({ branchId: 3, query: firstQuery })).toBe('/branch/3');
  const query = { ...firstQuery, search: 'Ada & Ben', sort: '-cost', page: 4 };
  expect(addressOf({ branchId: 3, query })).toBe('/branch/3?search=Ada+%26+Ben&sort=-cost&page=4');
});

test.each([
  '/branch/1',
  '/branch/2?search=a%2Bb',
  '/branch/2?sort=customerName',
  '/branch/7?search=x&sort=-serviceNo&page=12',
  '/branch/7?status=IN_QUEUE&status=COMPLETED&staff=&staff=Zo%C3%AB+L.&case=17',
])('The address %s is read as it was written', (address) => {
  expect(addressOf(viewOf(address))).toBe(address);
});

test.each([
  ['/branch/1?sort=issues', '/branch/1'],
  ['/branch/1?sort=constructor&page=0', '/branch/1'],
  ['/branch/1?page=-2', '/branch/1'],
  ['/branch/1?page=2.5', '/branch/1'],
  ['/branch/1?page=9999999', '/branch/1?page=1000000'],
  ['/branch/1?status=LOST&status=COMPLETED&status=COMPLETED', '/branch/1?status=COMPLETED'],
  ['/branch/1?case=x', '/branch/1'],
  ['/branch/x?search=a', '/branch/0?search=a'],
])('The parts of %s that name nothing are ignored', (given, read) => {
  expect(addressOf(viewOf(given))).toBe(read);
});
