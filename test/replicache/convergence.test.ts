import { expect, test } from 'vitest';
import { Faults } from '../support/faults';
import { randomFrom, testSeed } from '../support/random';
import { until } from '../support/until';
import { Page } from './support/client';
import { Host } from './support/host';

const USERS = ['alice', 'bob', 'carol', 'dave', 'erin'];
const CLIENTS = 20;
const MUTATIONS = 2_000;

test('20 clients of 5 users converge with faults, each mutation runs once', async () => {
  const random = randomFrom(testSeed());
  const below = (limit: number) => Math.floor(random() * limit);
  const host = await new Host().start();
  const faults = await new Faults(host).start();
  const pages: Page[] = [];
  try {
    const tokens = new Map<string, string>();
    for (const user of USERS) tokens.set(user, await host.signIn(user));
    for (let i = 0; i < CLIENTS; i++) {
      const user = USERS[i % USERS.length]!;
      pages.push(new Page({ address: faults.address, user, token: tokens.get(user)! }));
    }
    // Every user owns a shopping list that all share. Each client counts in its own item of each list.
    for (const [u, user] of USERS.entries()) {
      const owner = pages[u]!;
      await owner.rep.mutate.createList({ id: `l-${user}`, name: user, kind: 'shopping' });
      for (const other of USERS) await owner.rep.mutate.shareList({ id: `l-${user}`, username: other });
      for (let c = 0; c < CLIENTS; c++)
        await owner.rep.mutate.createItem({
          listId: `l-${user}`,
          id: `c${c}`,
          name: `Of client ${c}`,
          quantity: 0,
        });
    }
    for (const [u, user] of USERS.entries()) {
      for (const other of USERS.filter((each) => each !== user)) {
        await until(`${user} is invited by ${other}`, async () =>
          (await pages[u]!.all('invitation/')).has(`invitation/l-${other}`),
        );
        await pages[u]!.rep.mutate.acceptInvitation({ id: `l-${other}` });
      }
    }
    for (const page of pages)
      await until(
        'all lists and counters',
        async () => (await page.all('item/l-')).size === USERS.length * CLIENTS,
      );

    const counts = new Map<string, number>();
    faults.decide = (path) => {
      const dice = random();
      if (path === 'stream') return dice < 0.02 ? 'cut' : undefined;
      if (dice < 0.02) return 'cut';
      if (dice < 0.05) return 'cutAfter';
      return dice < 0.07 ? 500 : undefined;
    };
    for (let i = 0; i < MUTATIONS; i++) {
      const c = below(CLIENTS);
      const { mutate } = pages[c]!.rep;
      const listId = `l-${USERS[below(USERS.length)]!}`;
      const id = `c${c}`;
      const dice = below(20);
      if (dice === 0)
        await mutate.adjustItem({ listId, id, by: -1_000_000 }); // refused by the server: below zero
      else if (dice === 1)
        await mutate.createItem({ listId, id: `x${i}`, name: ' ', quantity: 1 }); // refused: no name
      else if (dice < 5)
        await mutate.createItem({ listId, id: `n${below(60)}`, name: `New ${i}`, quantity: 1 });
      else if (dice < 7) await mutate.deleteItem({ listId, id: `n${below(60)}` });
      else if (dice < 9) await mutate.updateItem({ listId, id: `n${below(60)}`, bought: below(2) === 0 });
      else if (dice < 10)
        await mutate.renameList({ id: listId, name: `Renamed ${i}` }); // refused except for the owner
      else {
        await mutate.adjustItem({ listId, id, by: 1 });
        counts.set(`item/${listId}/${id}`, (counts.get(`item/${listId}/${id}`) ?? 0) + 1);
      }
      if (i % 50 === 49) {
        faults.cut(() => random() < 0.3);
        await new Promise((resolve) => setTimeout(resolve, 20 + below(60)));
      }
      if (i % 600 === 300) await host.restart();
    }
    faults.decide = () => undefined;
    for (const [c, page] of pages.entries())
      await until(`nothing pending at client ${c}`, async () => (await page.pending()) === 0, 60_000);

    const truth = await host.read(tokens.get('alice')!);
    const shared = [...truth].filter(([key]) => key.startsWith('item/l-') || key.startsWith('list/l-'));
    const expected = Object.fromEntries(shared.sort(([a], [b]) => (a < b ? -1 : 1)));
    for (const [key, count] of counts) expect(truth.get(key).quantity, key).toBe(count);
    expect([...truth.keys()].some((key) => key.includes('/x'))).toBe(false);
    for (const [c, page] of pages.entries()) {
      await until(`client ${c} as the server`, async () => {
        const all = [...(await page.all('item/l-')), ...(await page.all('list/l-'))];
        const own = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
        return equal(own, expected);
      });
      expect(page.lost).toBe(0);
    }
    console.log(`requests: ${JSON.stringify(Object.fromEntries(faults.counts))}`);
  } finally {
    await Promise.all(pages.map((page) => page.close()));
    await faults.stop();
    await host.dispose();
  }
}, 120_000);

function equal(a: unknown, b: unknown): boolean {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
}
