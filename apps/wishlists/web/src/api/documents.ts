import type { RxCollection, RxJsonSchema } from 'rxdb';

export interface Member {
  readonly user_id: string;
  readonly name: string;
  readonly role: 'view' | 'mark';
}

export interface Wishlist {
  readonly id: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly owner_id: string;
  readonly owner_name: string;
  readonly members: readonly Member[];
  readonly created_at: string;
  readonly updated_at: string;
}

export type ItemStatus = 'manual' | 'pending' | 'resolving' | 'resolved' | 'failed';

/** Absent: the normal priority. */
export type Priority = 'high' | 'low';

export interface Item {
  readonly id: string;
  readonly wishlist_id: string;
  readonly title: string;
  readonly description?: string | undefined;
  readonly source_url?: string | undefined;
  readonly quantity: number;
  readonly status: ItemStatus;
  readonly title_edited: boolean;
  readonly price?: number | undefined;
  readonly currency?: string | undefined;
  /** A user set or removed the price, so the page's does not replace it. */
  readonly price_edited?: boolean | undefined;
  readonly image_url?: string | undefined;
  readonly image_edited?: boolean | undefined;
  readonly priority?: Priority | undefined;
  /** The sort key, see `state/order`. */
  readonly order?: string | undefined;
  readonly error?: string | undefined;
  readonly resolved_at?: string | undefined;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Mark {
  readonly id: string;
  readonly item_id: string;
  readonly quantity: number;
  readonly wishlist_id: string;
  readonly user_id: string;
  readonly user_name: string;
  readonly created_at: string;
  readonly updated_at: string;
}

const text = { type: 'string' } as const;
const key = (maxLength: number) => ({ type: 'string', maxLength }) as const;

export const wishlistSchema: RxJsonSchema<Wishlist> = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: key(40),
    name: text,
    description: text,
    owner_id: text,
    owner_name: text,
    members: {
      type: 'array',
      items: { type: 'object', properties: { user_id: text, name: text, role: text } },
    },
    created_at: text,
    updated_at: text,
  },
  required: ['id', 'name', 'owner_id', 'owner_name', 'members', 'created_at', 'updated_at'],
};

// Version 1 added price_edited, image_edited, priority and order. All are optional, so documents of version 0 stay as they are.
export const itemSchema: RxJsonSchema<Item> = {
  version: 1,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: key(40),
    wishlist_id: text,
    title: text,
    description: text,
    source_url: text,
    quantity: { type: 'number' },
    status: text,
    title_edited: { type: 'boolean' },
    price: { type: 'number' },
    currency: text,
    price_edited: { type: 'boolean' },
    image_url: text,
    image_edited: { type: 'boolean' },
    priority: text,
    order: text,
    error: text,
    resolved_at: text,
    created_at: text,
    updated_at: text,
  },
  required: ['id', 'wishlist_id', 'title', 'quantity', 'status', 'title_edited', 'created_at', 'updated_at'],
};

export const markSchema: RxJsonSchema<Mark> = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: key(300),
    item_id: text,
    quantity: { type: 'number' },
    wishlist_id: text,
    user_id: text,
    user_name: text,
    created_at: text,
    updated_at: text,
  },
  required: ['id', 'item_id', 'quantity', 'wishlist_id', 'user_id', 'user_name', 'created_at', 'updated_at'],
};

export interface Collections {
  readonly wishlists: RxCollection<Wishlist>;
  readonly items: RxCollection<Item>;
  readonly marks: RxCollection<Mark>;
}

/** Returns the address of a picture that browsers may load. Undefined if the text is none. */
export function pictureOf(words: string): string | undefined {
  const address = addressOf(words)?.url;
  return address?.startsWith('https://') ? address : undefined;
}

/** Returns the address and the initial title of a typed address. Undefined if the text is no page address. */
export function addressOf(words: string): { readonly url: string; readonly host: string } | undefined {
  const trimmed = words.trim();
  const candidate = /^https?:\/\//i.test(trimmed)
    ? trimmed
    : /^(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}(?:[/?#:]\S*)?$/u.test(trimmed)
      ? `https://${trimmed}`
      : undefined;
  if (candidate === undefined || /\s/.test(candidate)) return undefined;
  try {
    const { hostname, username, password } = new URL(candidate);
    if (username || password) return undefined;
    return { url: candidate, host: hostname.replace(/^www\./i, '') };
  } catch {
    return undefined;
  }
}
