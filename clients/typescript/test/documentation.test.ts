import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { compilePages, packageRoot, snippetsOf } from './support/snippets';

const root = join(packageRoot, '../..');
const skipped = new Set(['node_modules', 'bin', 'obj', 'dist', 'artifacts', '.git']);

function files(folder: string, extension: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : files(path, extension);
    return entry.name.endsWith(extension) ? [path] : [];
  });
}

/** The pages of the guides, whole and between `// <name>` and `// </name>`: the compiler and Chromium check them. */
function partsOfGuides(): Set<string> {
  const parts = new Set<string>();
  for (const file of [...files('test/guides', '.ts'), ...files('examples', '.ts')]) {
    const text = readFileSync(join(root, file), 'utf8');
    // A page of an example is too long to be shown whole.
    if (!file.startsWith('examples')) parts.add(text);
    const marked = text.matchAll(/^( *)\/\/ <([\w-]+)>\n(.*?)^\1\/\/ <\/\2>$/gms);
    for (const [, indent, , part] of marked) parts.add(part!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
  }
  return parts;
}

const parts = partsOfGuides();
const pages = new Map(
  files('.', '.md')
    // The private package of the pages of `apps`: its example stands for a page that does not exist.
    .filter((page) => page !== 'clients/kit/README.md')
    .map((page) => [page, snippetsOf(relative(packageRoot, join(root, page)), 'ts')] as const)
    .filter(([, snippets]) => snippets.length > 0),
);

test('Every TypeScript block of the documentation compiles', { timeout: 120_000 }, () => {
  const alone = new Map(
    [...pages].map(([page, snippets]) => [page, snippets.filter((text) => !parts.has(text))]),
  );
  expect([...alone.values()].flat().length).toBeGreaterThan(8);
  expect(compilePages(alone)).toEqual([]);
});

test('The pages of the guides are shown as they are tested', () => {
  const shown = new Set([...pages.values()].flat());
  const hidden = [...parts].filter((part) => !part.includes('// <') && !shown.has(part));
  expect(hidden).toEqual([]);
});
