import { expect, test } from 'vitest';
import type { FileList } from '../src/api/types';
import { Library } from '../src/state/library';

const listOf = (position: number) => ({ documents: [], position: String(position) }) as unknown as FileList;

test('a reload during another runs once more for all callers', async () => {
  const answers: ((list: FileList) => void)[] = [];
  const library = new Library(() => new Promise((resolve) => answers.push(resolve)));
  const seen: string[] = [];
  library.subscribe(({ position }) => seen.push(position));

  const first = library.reload();
  const later = [library.reload(), library.reload(), library.reload()];
  expect(answers).toHaveLength(1);
  answers[0]!(listOf(1));
  await first;
  await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  expect(answers).toHaveLength(2);
  answers[1]!(listOf(2));
  await Promise.all(later);

  expect(seen).toEqual(['1', '2']);
  expect(answers).toHaveLength(2);
});

test('a failed reload is followed by the next', async () => {
  let calls = 0;
  const library = new Library(async () => {
    if (++calls === 1) throw new Error('network');
    return listOf(calls);
  });
  const first = library.reload();
  const second = library.reload();
  await expect(first).rejects.toThrow('network');
  await second;
  expect(library.list?.position).toBe('2');
});
