import { compile as compileSvelte } from 'svelte/compiler';
import { expect, test } from 'vitest';
import { compile, snippetsOf } from './support/snippets';

const guide = '../../docs/guides/add-a-channel.md';

test('The TypeScript of the guide "Add a channel" compiles as the modules that it names', () => {
  const snippets = snippetsOf(guide, 'ts');
  expect(snippets.length).toBe(4);
  expect(compile(snippets)).toEqual([]);
});

test('A type of event that the channel does not have is an error, and so is a payload that it does not carry', () => {
  const [channels] = snippetsOf(guide, 'ts');
  const wrong = [
    "import { Client } from '@dunlin/client';",
    "import type { Channels } from './channels';",
    "const connection = new Client().connection<Channels>({ path: '/', format: 'envelope' });",
    "connection.on('note', () => {});",
    "connection.on('notes', (event) => event.type === 'exploded');",
    "connection.on('notes', (event) => event.type === 'deleted' && event.payload.note);",
  ].join('\n');
  expect(compile([channels!, wrong]).length).toBe(3);
});

test('The component of the guide compiles', () => {
  const [component] = snippetsOf(guide, 'svelte');
  expect(compileSvelte(component!, { generate: 'client' }).warnings).toEqual([]);
});

test('The TypeScript of the guide "Replicate with RxDB" compiles', () => {
  const snippets = snippetsOf('../../docs/guides/replicate-with-rxdb.md', 'ts');
  expect(snippets.length).toBe(1);
  expect(compile(snippets)).toEqual([]);
});
