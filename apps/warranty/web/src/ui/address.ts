import type { Query } from '../api/cases';
import { sortNames, statuses } from '../api/fields';
import type { BranchStore } from '../state/branchStore';
import { firstQuery, type WarrantyState, type WarrantyStore } from '../state/state';

/** What the address of the page names: `/branch/{id}?search=&status=&staff=&sort=&page=&case=`. */
export interface View {
  /** 0, which is no branch id, if the address names no branch. */
  readonly branchId: number;
  readonly query: Query;
  /** The case in the record panel. */
  readonly openId?: string | undefined;
}

const MAX_SEARCH = 100;
const MAX_PAGE = 1_000_000;
const MAX_STAFF = 80;
const MAX_VALUES = 50;

/** Reads an address. A part that no page of this system writes is ignored. */
export function viewOfAddress({ pathname, search }: { pathname: string; search: string } = location): View {
  const given = new URLSearchParams(search);
  const sort = given.get('sort') ?? '';
  const page = Number(/^[0-9]{1,7}$/.exec(given.get('page') ?? '')?.[0] ?? 1);
  return {
    branchId: Number(/^\/branch\/([0-9]{1,15})\/?$/.exec(pathname)?.[1] ?? 0),
    query: {
      search: (given.get('search') ?? '').trim().slice(0, MAX_SEARCH),
      sort: sortNames.has(sort.replace(/^-/, '')) ? sort : firstQuery.sort,
      page: Math.min(Math.max(page, 1), MAX_PAGE),
      status: given
        .getAll('status')
        .filter((status, index, all) => status in statuses && all.indexOf(status) === index),
      staff: [...new Set(given.getAll('staff').map((name) => name.slice(0, MAX_STAFF)))].slice(0, MAX_VALUES),
    },
    openId: /^[0-9]{1,15}$/.exec(given.get('case') ?? '')?.[0],
  };
}

/** Returns the address of a view. Values of the first view are left out. */
export function addressOf({ branchId, query, openId }: View): string {
  const given = new URLSearchParams();
  if (query.search !== '') given.set('search', query.search);
  for (const status of query.status) given.append('status', status);
  for (const name of query.staff) given.append('staff', name);
  if (query.sort !== firstQuery.sort) given.set('sort', query.sort);
  if (query.page > 1) given.set('page', String(query.page));
  if (openId !== undefined) given.set('case', openId);
  const text = given.toString();
  return `/branch/${branchId}${text && `?${text}`}`;
}

export function branchAddress(branchId: number): string {
  return addressOf({ branchId, query: firstQuery });
}

/** Displays a view without reloading the page, as a new entry of the browser's history or in place of the current one. */
export function goTo(view: View, isReplaced = false): void {
  const address = addressOf(view);
  if (isReplaced) history.replaceState(undefined, '', address);
  else if (address !== location.pathname + location.search) history.pushState(undefined, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Keeps the address and the displayed view equal. Returns a function that stops it. */
export function followAddress(store: BranchStore, state: WarrantyStore): () => void {
  const follow = () => {
    const { branchId, query, openId } = viewOfAddress();
    if (branchId === state.getState().branchId) store.show(query);
    else store.open(branchId, query);
    store.openCase(openId);
  };
  // The store changes the view itself when a page no longer exists or a new case resets the search.
  const write = (now: WarrantyState, before: WarrantyState) => {
    const isChanged = now.query !== before.query || now.openId !== before.openId;
    if (isChanged && addressOf(now) !== addressOf(viewOfAddress()))
      history.replaceState(undefined, '', addressOf(now));
  };
  addEventListener('popstate', follow);
  const stop = state.subscribe(write);
  return () => {
    removeEventListener('popstate', follow);
    stop();
  };
}
