import { computed, reactive, type ComputedRef } from 'vue';
import { addressOf, pictureOf, type Item, type Priority } from '../api/documents';
import { excessOf, limits, manyLines, oneLine } from '../api/limits';
import { priceOf } from '../api/price';

/** The texts of the dialog of a wish. */
export interface ItemDraft {
  title: string;
  url: string;
  note: string;
  quantity: number;
  price: string;
  currency: string;
  picture: string;
  priority: Priority | '';
}

export type ItemChange = Partial<Omit<Item, 'id' | 'wishlist_id' | 'status' | 'created_at' | 'updated_at'>>;

export interface ItemForm {
  readonly draft: ItemDraft;
  readonly isAddress: ComputedRef<boolean>;
  readonly isQuantity: ComputedRef<boolean>;
  readonly isPrice: ComputedRef<boolean>;
  readonly isValid: ComputedRef<boolean>;
  /** Returns changed fields only, so that concurrent changes of other fields survive. */
  readonly change: () => ItemChange;
}

// Cents have two digits; more decimals than two stay as they are.
function textOf(price: number | undefined): string {
  if (price === undefined) return '';
  return Number.isInteger(price * 100) && !Number.isInteger(price) ? price.toFixed(2) : String(price);
}

const isEmpty = (text: string) => text.trim() === '';

/** @param currency the currency to offer for an item without one. */
export function useItemDraft(item: Item, currency: string): ItemForm {
  const draft = reactive<ItemDraft>({
    title: item.title,
    url: item.source_url ?? '',
    note: item.description ?? '',
    quantity: item.quantity,
    price: textOf(item.price),
    currency: item.currency ?? currency,
    picture: item.image_url ?? '',
    priority: item.priority ?? '',
  });
  const before = { ...draft };
  const isUntouched = (name: keyof ItemDraft) => draft[name] === before[name];
  const isAddress = computed(() => isEmpty(draft.url) || addressOf(draft.url) !== undefined);
  const isQuantity = computed(
    () => Number.isInteger(draft.quantity) && draft.quantity >= 1 && draft.quantity <= limits.quantity,
  );
  const isPrice = computed(
    () => isUntouched('price') || isEmpty(draft.price) || priceOf(draft.price) !== undefined,
  );
  // A page may name a picture over http, which stays until the user changes it.
  const isPicture = computed(
    () => isUntouched('picture') || isEmpty(draft.picture) || pictureOf(draft.picture) !== undefined,
  );
  const isShort = computed(
    () =>
      excessOf(draft.title, limits.title) +
        excessOf(draft.note, limits.description) +
        excessOf(draft.url, limits.address) +
        excessOf(draft.picture, limits.address) ===
      0,
  );
  const isValid = computed(
    () =>
      oneLine(draft.title) !== '' &&
      isShort.value &&
      isAddress.value &&
      isQuantity.value &&
      isPrice.value &&
      isPicture.value,
  );

  function priceChange(): ItemChange {
    if (isUntouched('price') && (isUntouched('currency') || isEmpty(draft.price))) return {};
    const price = isUntouched('price') ? item.price : priceOf(draft.price);
    return { price, currency: price === undefined ? undefined : draft.currency, price_edited: true };
  }

  function change(): ItemChange {
    const title = oneLine(draft.title);
    const url = isEmpty(draft.url) ? undefined : addressOf(draft.url)!.url;
    const note = manyLines(draft.note) || undefined;
    return {
      ...(title === item.title ? {} : { title }),
      ...(url === item.source_url ? {} : { source_url: url }),
      ...(note === item.description ? {} : { description: note }),
      ...(isUntouched('quantity') ? {} : { quantity: draft.quantity }),
      ...priceChange(),
      ...(isUntouched('picture') ? {} : { image_url: pictureOf(draft.picture), image_edited: true }),
      ...(isUntouched('priority') ? {} : { priority: draft.priority || undefined }),
    };
  }

  return { draft, isAddress, isQuantity, isPrice, isValid, change };
}
