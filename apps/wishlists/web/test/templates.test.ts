import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'vue/compiler-sfc';
import { expect, test } from 'vitest';

interface Node {
  readonly type: number;
  readonly content?: unknown;
  readonly name?: string;
  readonly value?: { readonly content: string };
  readonly exp?: { readonly content: string };
  readonly props?: readonly Node[];
  readonly children?: readonly Node[];
}

// Node types of the compiler.
const [TEXT, INTERPOLATION, ATTRIBUTE, DIRECTIVE] = [2, 5, 6, 7];
const sentences = (code: string) => code.match(/'[^']*\p{L} \p{L}[^']*'/gu) ?? [];
const SHOWN = ['title', 'aria-label', 'placeholder', 'alt', 'label'];
const folder = new URL('../src/ui/', import.meta.url);
const components = readdirSync(folder).filter((name) => name.endsWith('.vue'));

/** Returns the words in a template that no translation reaches. */
function literals(node: Node): string[] {
  const found = (node.props ?? []).flatMap((prop) => {
    if (prop.type === ATTRIBUTE && SHOWN.includes(prop.name!)) return [prop.value?.content ?? ''];
    // A quoted sentence in an expression: a key of a text has no space.
    if (prop.type === DIRECTIVE) return sentences(prop.exp?.content ?? '');
    return [];
  });
  if (node.type === TEXT) found.push(node.content as string);
  if (node.type === INTERPOLATION) found.push(...sentences((node.content as { content: string }).content));
  return [...found, ...(node.children ?? []).flatMap(literals)].filter(
    (text) => /\p{L}/u.test(text) && text !== 'https://',
  );
}

test.each(components)('%s has no literal text', (name) => {
  const { descriptor } = parse(readFileSync(new URL(name, folder), 'utf8'));
  expect(literals(descriptor.template!.ast as unknown as Node)).toEqual([]);
});

test('a literal text and a literal label are found', () => {
  const { descriptor } = parse('<template><p title="Tea">Cup {{ name }}<b>{{ t("x") }}</b></p></template>');
  expect(literals(descriptor.template!.ast as unknown as Node)).toEqual(['Tea', 'Cup ']);
});
