import { PAGE_SIZE } from '../api/cases';

/**
 * The ids of a list of cases, of which only some pages are loaded. A row is a position in the whole list, from 0. Immutable lists come from
 * `ids`, so that a component renders again when they change.
 */
export class CasePages {
  readonly #pages = new Map<number, readonly string[]>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  has(page: number): boolean {
    return this.#pages.has(page);
  }

  clear(): void {
    this.#pages.clear();
    this.#total = 0;
  }

  /** Replaces all pages by these, because the others may be outdated. */
  replace(pages: ReadonlyMap<number, readonly string[]>, total: number): void {
    this.#pages.clear();
    for (const [page, ids] of pages) this.#pages.set(page, ids);
    this.#total = total;
  }

  /** Adds a page. Returns whether the number of cases changed, which means that the other pages are outdated. */
  add(page: number, ids: readonly string[], total: number): boolean {
    const isChanged = total !== this.#total;
    this.#pages.set(page, ids);
    this.#total = total;
    return isChanged;
  }

  prepend(id: string): void {
    this.#pages.set(1, [id, ...(this.#pages.get(1) ?? []).filter((each) => each !== id)]);
    this.#total++;
  }

  remove(id: string): void {
    for (const [page, ids] of this.#pages) {
      if (!ids.includes(id)) continue;
      this.#pages.set(
        page,
        ids.filter((each) => each !== id),
      );
      this.#total--;
      return;
    }
  }

  /** Returns one id for each row; undefined for a row that is not loaded. No id occurs twice, although pages load at different times. */
  ids(): readonly (string | undefined)[] {
    const ids = new Array<string | undefined>(this.#total).fill(undefined);
    const seen = new Set<string>();
    for (const [page, own] of [...this.#pages].sort(([one], [other]) => one - other)) {
      const fresh = own.filter((id) => !seen.has(id));
      fresh.forEach((id, index) => {
        const row = (page - 1) * PAGE_SIZE + index;
        if (row < this.#total) ids[row] = id;
        seen.add(id);
      });
    }
    return ids;
  }
}

/** Returns the page that contains a row. */
export function pageOf(row: number): number {
  return Math.floor(row / PAGE_SIZE) + 1;
}

/** Returns the row at which a page begins. */
export function rowOf(page: number): number {
  return (page - 1) * PAGE_SIZE;
}
