import { describe, expect, test } from 'vitest';
import { PeopleApi, type Person } from '../src/api/people';
import type { TodoList } from '../src/state/mutators';
import { offeredFor } from '../src/state/people';

const person = (userId: string, name: string): Person => ({ userId, username: userId, name });
const known = [person('bob', 'Bob Baker'), person('carol', 'Carol Carter'), person('zoe', 'Zoë Zimmer')];
const list = (more: object = {}) =>
  ({ id: 'l', name: 'Home', members: [{ id: 'anna', name: 'Anna' }], ...more }) as unknown as TodoList;
const ids = (people: readonly Person[]) => people.map(({ userId }) => userId);

describe('The people who are offered', () => {
  test.each([
    ['', ['bob', 'carol', 'zoe']],
    ['car', ['carol']],
    ['BAKER', ['bob']],
    ['zoë', ['zoe']],
    ['nobody', []],
  ])('match “%s”', (typed, expected) => {
    expect(ids(offeredFor(list(), known, typed))).toEqual(expected);
  });

  test('are neither members nor invited', () => {
    const shared = list({ members: [{ id: 'bob' }], invited: [{ username: 'Carol', createdAt: 1 }] });
    expect(ids(offeredFor(shared, known, ''))).toEqual(['zoe']);
  });
});

test('a look-up asks for exactly one name', async () => {
  const paths: string[] = [];
  const send = async (_: string, path: string) => {
    paths.push(path);
    return { status: 200, headers: new Headers(), body: { people: path.includes('bob') ? [known[0]] : [] } };
  };
  const people = new PeopleApi({ send } as never);
  expect(await people.find('bob')).toEqual(known[0]);
  expect(await people.find('a&b')).toBeUndefined();
  expect(paths).toEqual(['/api/v1/todos/people?username=bob', '/api/v1/todos/people?username=a%26b']);
});
