import { expect, test } from 'vitest';
import { compile, snippetsOf } from './support/snippets';

test('the snippets of both READMEs compile', () => {
  const snippets = [...snippetsOf('README.md', 'ts'), ...snippetsOf('../../README.md', 'ts')];
  expect(snippets.length).toBe(5);
  expect(compile(snippets)).toEqual([]);
});

test('the snippets of the first pages compile', () => {
  const pages = ['as-a-server', 'in-a-dotnet-application'];
  const snippets = pages.flatMap((page) => snippetsOf(`../../docs/start/${page}.md`, 'ts'));
  expect(snippets.length).toBe(3);
  expect(compile(snippets)).toEqual([]);
});
