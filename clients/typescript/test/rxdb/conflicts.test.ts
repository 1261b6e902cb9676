import { expect, test } from 'vitest';
import { keepChangedFields } from '../../src/rxdb/conflicts';

interface Thing {
  id: string;
  text?: string;
  count?: number;
  rev?: number;
}

type State = Thing & { _deleted: boolean };

const thing = (more: Partial<State>): State => ({ id: 'a', _deleted: false, ...more });

const resolve = (assumed: State | undefined, mine: State, theirs: State) =>
  keepChangedFields<Thing>().resolve(
    {
      ...(assumed ? { assumedMasterState: assumed } : {}),
      newDocumentState: mine,
      realMasterState: theirs,
    },
    'test',
  );

const before = thing({ text: 'one', count: 1, rev: 1 });

test('locally changed fields are kept and all others are the server’s', async () => {
  const theirs = thing({ text: 'theirs', count: 1, rev: 2 });
  expect(await resolve(before, { ...before, count: 5 }, theirs)).toEqual({ ...theirs, count: 5 });
  const { count: _, ...without } = before;
  expect(await resolve(before, without as State, theirs)).toEqual(thing({ text: 'theirs', rev: 2 }));
});

test('a field changed on both sides takes the local value', async () => {
  const theirs = thing({ text: 'theirs', count: 1, rev: 2 });
  expect((await resolve(before, { ...before, text: 'mine' }, theirs)).text).toBe('mine');
});

test('a deletion on either side wins', async () => {
  const theirs = thing({ text: 'theirs', count: 1, rev: 2 });
  expect(await resolve(before, { ...before, _deleted: true }, theirs)).toEqual({ ...theirs, _deleted: true });
  const gone = thing({ _deleted: true });
  expect(await resolve(before, { ...before, count: 5 }, gone)).toEqual(gone);
});

test('a deletion wins over later edits when the insert response was lost', async () => {
  const theirs = thing({ text: 'theirs', rev: 2 });
  expect(await resolve(undefined, { ...before, _deleted: true }, theirs)).toEqual({
    ...theirs,
    _deleted: true,
  });
});

test('a live document that was assumed to be deleted is not deleted', async () => {
  const gone = thing({ _deleted: true });
  expect(await resolve(gone, { ...gone, text: 'x' }, before)).toEqual(before);
  expect(await resolve(gone, thing({ text: 'back' }), before)).toEqual({ ...before, text: 'back' });
});

test('a refused change is dropped, with or without an assumed state', async () => {
  expect(await resolve(before, { ...before, count: 5 }, { ...before })).toEqual(before);
  // Also a refused deletion, which would be sent and refused for ever.
  expect(await resolve(before, { ...before, _deleted: true }, { ...before })).toEqual(before);
  expect(await resolve(undefined, before, thing({ text: 'theirs' }))).toEqual(thing({ text: 'theirs' }));
});
