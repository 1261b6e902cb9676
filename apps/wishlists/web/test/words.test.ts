// @vitest-environment happy-dom
import { beforeEach, describe, expect, test } from 'vitest';
import { DunlinError, type Problem } from '@dunlin/client';
import { addressOf } from '../src/api/documents';
import { chooseLanguage, formatPrice, language, t } from '../src/ui/i18n';
import { en } from '../src/ui/i18n/en';
import { ru } from '../src/ui/i18n/ru';
import { problemText } from '../src/ui/problem';

beforeEach(() => {
  language.value = 'en';
});

describe('User input', () => {
  test.each([
    ['https://www.shop.example/socks?size=40', 'https://www.shop.example/socks?size=40', 'shop.example'],
    ['  http://shop.example ', 'http://shop.example', 'shop.example'],
    ['shop.example/socks', 'https://shop.example/socks', 'shop.example'],
    ['магазин.рф/чай', 'https://магазин.рф/чай', 'xn--80aairftm.xn--p1ai'],
  ])('%s is an address', (words, url, host) => {
    expect(addressOf(words)).toEqual({ url, host });
  });

  test.each([
    'Wool socks',
    'socks',
    'Size 4.5 please',
    'javascript:alert(1)',
    'https://user:secret@shop.example/',
    'https://shop.example/a b',
    'ftp://shop.example/',
    '',
  ])('%s is a wish in words', (words) => {
    expect(addressOf(words)).toBeUndefined();
  });
});

describe('The texts', () => {
  test('both languages have the same texts with the same values', () => {
    const values = (text: unknown) =>
      [...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort().join();
    expect(Object.keys(ru).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as (keyof typeof en)[])
      expect([key, values(ru[key])]).toEqual([key, values(en[key])]);
  });

  test('plurals follow the language', async () => {
    expect([1, 2, 5].map((n) => t('wishes', { n }))).toEqual(['1 wish', '2 wishes', '5 wishes']);
    await chooseLanguage('ru');
    expect([1, 2, 5, 21].map((n) => t('wishes', { n }))).toEqual([
      '1 желание',
      '2 желания',
      '5 желаний',
      '21 желание',
    ]);
    expect(document.documentElement.lang).toBe('ru');
  });

  test.each([
    ['network', 'network', 'This needs a network.'],
    ['busy', 'too_many_requests', 'There were too many at once. Try again in a minute.'],
    ['unexpected', 'never_heard_of', 'The server could not do it. Try again in a moment.'],
  ])('a problem of kind %s with code %s has a sentence', async (kind, code, text) => {
    expect(problemText(new DunlinError({ kind, code, title: 'English' } as Problem))).toBe(text);
    await chooseLanguage('ru');
    expect(problemText(new DunlinError({ kind, code, title: 'English' } as Problem))).not.toMatch(/[a-z]/i);
  });

  test('an unknown currency is displayed unchanged', () => {
    expect(formatPrice(39.5, 'EUR')).toBe('€39.50');
    expect(formatPrice(39.5, undefined)).toBe('39.5');
    expect(formatPrice(39.5, 'shells')).toBe('39.5 shells');
  });
});
