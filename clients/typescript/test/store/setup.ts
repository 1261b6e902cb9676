import { DunlinError, type Problem } from '../../src/http/problem';
import type { SaveAnswer, StoreOptions } from '../../src/store/options';
import type { SaveContext } from '../../src/store/saver';
import { Store } from '../../src/store/store';
import { settle } from '../support/clock';
import { FakeEnvironment } from '../support/fakeEnvironment';

export interface Case {
  id: number;
  version: number;
  name: string;
  cost: number;
}

export interface Save {
  id: string;
  changes: Partial<Case>;
  context: SaveContext;
  answer(answer: SaveAnswer<Case> | void): Promise<void>;
  fail(kind: Problem['kind'], more?: object): Promise<void>;
}

export let environment: FakeEnvironment;
export let saves: Save[];
export let store: Store<Case>;

export function storeWith(options: Partial<StoreOptions<Case>> = {}): Store<Case> {
  return new Store<Case>({
    environment,
    save: (id, changes, context) =>
      new Promise((resolve, reject) => {
        saves.push({
          id,
          changes,
          context,
          answer: async (answer) => {
            resolve(answer);
            await settle();
          },
          fail: async (kind, more = {}) => {
            reject(new DunlinError({ kind, code: kind, title: kind, ...more } as Problem));
            await settle();
          },
        });
      }),
    ...options,
  });
}

export const record = (version: number, more: Partial<Case> = {}): Case => ({
  id: 1,
  version,
  name: 'Ann',
  cost: 5,
  ...more,
});

/** Called before each test. */
export function setUp(): void {
  environment = new FakeEnvironment();
  saves = [];
  store = storeWith();
  store.put(record(1));
}
