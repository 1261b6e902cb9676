import { DunlinError, type Problem } from '@dunlin/client';
import { beforeEach, expect, test } from 'vitest';
import { firstQuery } from '../src/state/state';
import { importRows, loadAll, type ImportOptions } from '../src/state/transfer';
import { branch, setUp, store } from './branchPage';

beforeEach(setUp);

const rows = ['Ann', 'Ben', 'Cleo'].map((customerName, index) => ({
  row: index + 2,
  values: { customerName },
  errors: [],
}));

function run(answers: readonly (Problem | undefined)[], options: Partial<ImportOptions> = {}) {
  const created: unknown[] = [];
  const waits: number[] = [];
  const left = [...answers];
  const result = importRows(rows, {
    create: ({ customerName }) => {
      const problem = left.shift();
      if (problem) return Promise.reject(new DunlinError(problem));
      created.push(customerName);
      return Promise.resolve();
    },
    signal: new AbortController().signal,
    onProgress: () => {},
    wait: (milliseconds) => (waits.push(milliseconds), Promise.resolve()),
    ...options,
  });
  return { result, created, waits };
}

const invalid: Problem = {
  kind: 'invalid',
  code: 'invalid_field',
  title: 'Wrong.',
  detail: { detail: "'cost' must be an amount." },
};
const busy: Problem = { kind: 'busy', code: 'busy', title: 'Busy.', status: 503, retryAfterMs: 2000 };
const lost: Problem = { kind: 'network', code: 'network', title: '' };

test('A refused row is reported and does not stop the others', async () => {
  const { result, created } = run([undefined, invalid]);
  expect(await result).toEqual({
    created: 2,
    failures: [{ row: 3, text: 'Cost must be an amount.' }],
    left: 0,
    end: 'complete',
  });
  expect(created).toEqual(['Ann', 'Cleo']);
});

test('A busy server is asked again after the time that it names', async () => {
  const { result, waits } = run([busy, busy]);
  expect((await result).created).toBe(3);
  expect(waits).toEqual([2000, 2000]);
});

test('A row without an answer is not sent again, and ends the import', async () => {
  const { result, created } = run([undefined, lost]);
  expect(await result).toMatchObject({ created: 1, left: 1, end: 'stopped', failures: [{ row: 3 }] });
  expect(created).toEqual(['Ann']);
});

test('Cancel ends the import after the row that is being sent', async () => {
  const end = new AbortController();
  const { result, created } = run([], { signal: end.signal, onProgress: () => end.abort() });
  expect(await result).toEqual({ created: 1, failures: [], left: 2, end: 'cancelled' });
  expect(created).toEqual(['Ann']);
});

test('A cancelled import does not send a row of a busy server again', async () => {
  const end = new AbortController();
  const wait = () => (end.abort(), Promise.resolve());
  const { result, created } = run([busy], { signal: end.signal, wait });
  expect(await result).toMatchObject({ created: 0, left: 2, end: 'cancelled', failures: [{ row: 2 }] });
  expect(created).toEqual([]);
});

test('An export loads all pages of its query', async () => {
  for (let id = 3; id <= 250; id++) branch.add({ id, customerName: `Case ${id}` });
  const seen: number[] = [];
  const all = await loadAll(store.api, 1, firstQuery, new AbortController().signal, ({ done, total }) =>
    seen.push(done, total),
  );
  expect(all).toHaveLength(250);
  expect(seen).toEqual([100, 250, 200, 250, 250, 250]);
});
