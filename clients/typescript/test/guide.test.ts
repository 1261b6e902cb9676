import { compile as compileSvelte } from 'svelte/compiler';
import { expect, test } from 'vitest';
import { compile, snippetsOf } from './support/snippets';

const guide = '../../docs/guides/add-a-channel.md';

test('Unknown channels, event types and payload fields are type errors', () => {
  const snippets = snippetsOf(guide, 'ts');
  expect(snippets.length).toBe(4);
  const [channels] = snippets;
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
