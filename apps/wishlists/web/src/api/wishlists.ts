import type { Requests } from '@dunlin/client';
import type { Item } from './documents';

export type ShareRole = 'view' | 'mark';

export interface Share {
  readonly id: string;
  readonly role: ShareRole;
  readonly created_at: string;
  readonly expires_at: string | null;
  /** Whether the link shows the wishes before anybody signs in. */
  readonly shows_wishes: boolean;
}

export interface NewShare extends Share {
  readonly token: string;
  readonly path: string;
}

/** The data that a link shows without a sign-in. */
export interface Preview {
  readonly name: string;
  readonly owner_name: string;
  readonly role: ShareRole;
  readonly expires_at: string | null;
  /** Absent: the link does not show them. */
  readonly wishes?: readonly Item[] | undefined;
}

/** The choices of a new link. */
export interface ShareTerms {
  readonly role: ShareRole;
  /** Undefined: the link does not expire. */
  readonly days?: number | undefined;
  readonly showsWishes: boolean;
}

/** Requests besides the replication. All need the network. */
export class WishlistsApi {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Makes the server read the page of an item again. */
  async resolve(itemId: string): Promise<void> {
    await this.#send('POST', `/api/v1/items/${itemId}/resolve`);
  }

  shares(listId: string): Promise<readonly Share[]> {
    return this.#send('GET', `/api/v1/wishlists/${listId}/shares`);
  }

  share(listId: string, { role, days, showsWishes }: ShareTerms): Promise<NewShare> {
    const expires_at =
      days === undefined ? undefined : new Date(Date.now() + days * 24 * 3600_000).toISOString();
    const body = { role, shows_wishes: showsWishes, ...(expires_at === undefined ? {} : { expires_at }) };
    return this.#send('POST', `/api/v1/wishlists/${listId}/shares`, body);
  }

  async revoke(listId: string, shareId: string): Promise<void> {
    await this.#send('DELETE', `/api/v1/wishlists/${listId}/shares/${shareId}`);
  }

  /** Resolves with the path of a link, to copy it again. */
  async link(listId: string, shareId: string): Promise<string> {
    const path = `/api/v1/wishlists/${listId}/shares/${shareId}/link`;
    return (await this.#send<{ path: string }>('GET', path)).path;
  }

  /** Brings a link back that was revoked a few minutes ago. */
  async restore(listId: string, shareId: string): Promise<void> {
    await this.#send('POST', `/api/v1/wishlists/${listId}/shares/${shareId}/restore`);
  }

  /** Deletes a list while the page closes, when the replication has no time to send it. */
  async deleteList(listId: string): Promise<void> {
    await this.#requests.send('DELETE', `/api/v1/wishlists/${listId}`, { keepalive: true });
  }

  /** @param keepalive lets the request outlive the page. */
  async removeMember(listId: string, userId: string, keepalive = false): Promise<void> {
    const path = `/api/v1/wishlists/${listId}/members/${encodeURIComponent(userId)}`;
    await this.#requests.send('DELETE', path, { keepalive });
  }

  /** Joins the list of a link. Resolves with the list's id. */
  async join(token: string): Promise<string> {
    const path = `/api/v1/share/${encodeURIComponent(token)}/join`;
    return (await this.#send<{ wishlist_id: string }>('POST', path)).wishlist_id;
  }

  /** Needs no sign-in. */
  async preview(token: string): Promise<Preview> {
    const path = `/api/v1/share/${encodeURIComponent(token)}`;
    return (await this.#requests.send<Preview>('GET', path, { anonymous: true })).body;
  }

  async #send<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.#requests.send<T>(method, path, { body })).body;
  }
}
