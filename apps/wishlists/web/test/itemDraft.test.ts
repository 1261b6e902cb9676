// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest';
import type { Item } from '../src/api/documents';
import { useItemDraft } from '../src/ui/itemDraft';
import { indexAfterKey } from '../src/ui/reorder';

const kettle: Item = {
  id: 'i',
  wishlist_id: 'w',
  title: 'Kettle',
  quantity: 1,
  status: 'resolved',
  title_edited: false,
  price: 39.5,
  currency: 'EUR',
  image_url: 'http://shop.example/kettle.png',
  created_at: '2030-01-01T00:00:00Z',
  updated_at: '2030-01-01T00:00:00Z',
};

describe('The dialog of a wish', () => {
  test('changes nothing that the user has not changed', () => {
    const { draft, isValid, change } = useItemDraft({ ...kettle, price: 1.299 }, 'USD');
    expect([draft.price, draft.currency]).toEqual(['1.299', 'EUR']);
    // A page may name a picture over http.
    expect([isValid.value, change()]).toEqual([true, {}]);
  });

  test('claims a changed price and picture for the user', () => {
    const { draft, change } = useItemDraft(kettle, 'USD');
    expect(draft.price).toBe('39.50');
    draft.price = '1 299,50';
    draft.picture = 'https://example.com/a.png';
    draft.priority = 'high';
    expect(change()).toEqual({
      price: 1299.5,
      currency: 'EUR',
      price_edited: true,
      image_url: 'https://example.com/a.png',
      image_edited: true,
      priority: 'high',
    });
  });

  test('removes a price with its currency, and a picture', () => {
    const { draft, change } = useItemDraft(kettle, 'USD');
    [draft.price, draft.picture] = [' ', ''];
    expect(change()).toEqual({
      price: undefined,
      currency: undefined,
      price_edited: true,
      image_url: undefined,
      image_edited: true,
    });
  });

  test('keeps the price when only its currency changes', () => {
    const priced = useItemDraft(kettle, 'USD');
    priced.draft.currency = 'RUB';
    expect(priced.change()).toEqual({ price: 39.5, currency: 'RUB', price_edited: true });
    const { price: _, currency: __, ...free } = kettle;
    const unpriced = useItemDraft(free, 'USD');
    unpriced.draft.currency = 'RUB';
    expect(unpriced.change()).toEqual({});
  });

  test.each([
    ['title', ' \t'],
    ['title', 'x'.repeat(301)],
    ['note', 'x'.repeat(2001)],
    ['url', 'no address'],
    ['price', '-1'],
    ['picture', 'http://example.com/a.png'],
  ] as const)('refuses the %s %j', (name, value) => {
    const { draft, isValid } = useItemDraft(kettle, 'USD');
    draft[name] = value;
    expect(isValid.value).toBe(false);
  });

  test.each([0, 1000, 1.5, Number.NaN])('refuses the quantity %d', (quantity) => {
    const { draft, isValid } = useItemDraft(kettle, 'USD');
    draft.quantity = quantity;
    expect(isValid.value).toBe(false);
  });
});

test.each([
  ['ArrowUp', 1, 0],
  ['ArrowUp', 0, undefined],
  ['ArrowDown', 1, 2],
  ['ArrowDown', 2, undefined],
  ['Home', 2, 0],
  ['Home', 0, undefined],
  ['End', 0, 2],
  ['Enter', 1, undefined],
])('%s moves row %i of 3 to %j', (key, from, to) => expect(indexAfterKey(key, from, 3)).toBe(to));
