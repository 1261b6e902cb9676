// @vitest-environment happy-dom
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadValidator } from '../src/schema/validator';
import { emptyDocument } from '../src/state/emptyDocument';

const validator = await loadValidator();
const tei = (body: string) => emptyDocument('Title').replace('<p></p>', body);
const samples = join(import.meta.dirname, '../../server/Samples');
const allowed = (text: string) => {
  const at = text.indexOf('|');
  return validator.allowedAt(text.replace('|', ''), at);
};

describe('The schema', () => {
  const valid = readdirSync(samples).filter((name) => name.endsWith('.xml'));
  test.each(valid)('allows the sample %s', (name) => {
    expect(validator.check(readFileSync(join(samples, name), 'utf8'))).toEqual([]);
  });

  test('allows a new document', () => {
    expect(validator.check(emptyDocument('A & B'))).toEqual([]);
  });

  test.each([
    ['an unknown element', '<p>a <bold>b</bold></p>', 'bold'],
    ['an element in a wrong place', '<p>a <teiHeader/></p>', 'teiHeader'],
    ['an unknown attribute', '<p colour="red">a</p>', 'colour'],
    ['an unknown value', '<p cert="maybe">a</p>', 'cert'],
    ['text between paragraphs', '<p>a</p> loose words', 'loose words'],
  ])('refuses %s at its place', (_, body, marked) => {
    const text = tei(body);
    const [finding] = validator.check(text);
    expect(finding).toMatchObject({ severity: 'warning' });
    expect(text.slice(finding!.from, finding!.to)).toBe(marked);
    expect(finding!.message).not.toContain('{');
  });

  test('does not concern texts that are not TEI', () => {
    expect(validator.check('<letter><bold/></letter>')).toEqual([]);
    expect(allowed('<letter><|')).toBeUndefined();
  });
});

test('Malformed XML is one error at its place', () => {
  const text = '<letter>\n  <p>open\n</letter>';
  const findings = validator.check(text);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ severity: 'error', to: text.length });
});

describe('Completion', () => {
  test('offers the elements of a place', () => {
    const found = allowed(tei('<p>text <|</p>'));
    expect(found?.kind).toBe('element');
    expect(found?.names).toEqual(expect.arrayContaining(['persName', 'date', 'lb', 'choice']));
    expect(found?.names).not.toContain('div');
    expect(allowed(tei('<|'))?.names).toEqual(expect.arrayContaining(['p', 'div', 'lg']));
  });

  test('offers the end of the innermost element', () => {
    expect(allowed(tei('<p>a <persName>b</|'))).toMatchObject({ kind: 'element', names: ['persName'] });
  });

  test('offers attributes that are not there yet', () => {
    const found = allowed(tei('<p><date when="1871" |'));
    expect(found?.kind).toBe('attribute');
    expect(found?.names).toEqual(expect.arrayContaining(['notBefore', 'xml:id']));
    expect(found?.names).not.toContain('when');
  });

  test('offers the values of an attribute', () => {
    const text = tei('<p cert="me|');
    expect(allowed(text)).toEqual({
      kind: 'value',
      from: text.indexOf('me|'),
      names: ['high', 'low', 'medium', 'unknown'],
    });
  });

  test('offers nothing in plain text', () => {
    expect(allowed(tei('<p>plain |</p>'))).toBeUndefined();
  });
});
