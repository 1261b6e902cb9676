import { expect, test } from 'vitest';
import { currencies, priceOf } from '../src/api/price';

test.each([
  ['39', 39],
  ['39.5', 39.5],
  ['39,50', 39.5],
  ['1 299,00', 1299],
  ['1\u00A0299,50', 1299.5],
  ['1,299.99', 1299.99],
  ['1.299', 1299],
  ['1.234.567,8', 1_234_567.8],
  ["1'299.50", 1299.5],
  ['0', 0],
  ['999999999', 999_999_999],
])('%j is the price %d', (text, amount) => expect(priceOf(text)).toBe(amount));

test.each(['', 'x', '-1', '1.2.3', '1,23,4', '12.34,567.8', '1e9', '1000000000', '39.'])(
  '%j is no price',
  (text) => expect(priceOf(text)).toBeUndefined(),
);

test('currencies have translated names, the preferred ones first and once', () => {
  const all = currencies('ru', ['RUB', 'EUR']);
  expect(all.slice(0, 2)).toEqual([
    ['RUB', 'RUB · российский рубль'],
    ['EUR', 'EUR · евро'],
  ]);
  expect(new Set(all.map(([code]) => code)).size).toBe(all.length);
});
