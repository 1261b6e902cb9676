import { FakeEnvironment } from '../../../../clients/typescript/test/support/fakeEnvironment';
import { settle } from '../../../../clients/typescript/test/support/clock';
import { BranchStore, type Notice } from '../src/state/branchStore';
import { createWarrantyState, firstQuery, type WarrantyStore } from '../src/state/state';
import type { FieldKey } from '../src/api/fieldLocks';
import { FakeBranch } from './fakeBranch';

export const name: FieldKey = '1/customerName';
export const status: FieldKey = '1/status';

export let environment: FakeEnvironment;
export let branch: FakeBranch;
export let state: WarrantyStore;
export let store: BranchStore;
export let notices: Notice[];
export let signedOut: number;

let pages = 0;

function newStore(storage?: Storage): BranchStore {
  environment = new FakeEnvironment(undefined, `page${++pages}`);
  environment.fetchWith = branch.fetch;
  state = createWarrantyState('bob', 1);
  return new BranchStore({
    environment,
    state,
    refresh: () => Promise.resolve(false),
    notify: (notice) => notices.push(notice),
    onSignedOut: () => signedOut++,
    unsavedStorage: storage,
  });
}

/** Opens a page of the branch, as after a reload. */
export async function openPage(storage?: Storage): Promise<void> {
  store = newStore(storage);
  store.start(1, firstQuery);
  await settle();
  branch.requests.length = 0;
}

export const shown = (key: FieldKey) => {
  const [id, field] = key.split('/') as [string, 'customerName'];
  return state.getState().records.get(id)?.[field];
};
export const passes = (milliseconds: number) => environment.clock.advance(milliseconds);

/** Storage that several pages of a test share. */
export function fakeStorage(): { kept: Map<string, string>; storage: Storage } {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    key: (index: number) => [...kept.keys()][index] ?? null,
    get length() {
      return kept.size;
    },
  } as Storage;
  return { kept, storage };
}

/** Called before each test. */
export async function setUp(): Promise<void> {
  branch = new FakeBranch('Ann', 'Ben');
  notices = [];
  signedOut = 0;
  await openPage();
}
