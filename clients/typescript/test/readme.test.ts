import { expect, test } from 'vitest';
import { compile, snippetsOf } from './support/snippets';

test('The snippets of both READMEs compile against the package', () => {
  const snippets = [...snippetsOf('README.md', 'ts'), ...snippetsOf('../../README.md', 'ts')];
  expect(snippets.length).toBe(5);
  expect(compile(snippets)).toEqual([]);
});

test('The snippets of the first pages compile against the package', () => {
  const pages = ['as-a-server', 'in-a-dotnet-application'];
  const snippets = pages.flatMap((page) => snippetsOf(`../../docs/start/${page}.md`, 'ts'));
  expect(snippets.length).toBe(3);
  expect(compile(snippets)).toEqual([]);
});
