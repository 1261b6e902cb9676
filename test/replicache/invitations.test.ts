import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../support/until';
import { Page } from './support/client';
import { Host } from './support/host';

let host: Host;
const tokens: Record<string, string> = {};
const pages: Page[] = [];
let made = 0;

const newId = (what: string) => `${what}-${++made}`;

function open(user: string): Page {
  const page = new Page({ address: host.address, user, token: tokens[user]! });
  pages.push(page);
  return page;
}

const read = (user: string) => host.read(tokens[user]!);

/** Returns the owner's view of one invited name, without the times and the name itself. */
async function seen(list: string, username: string): Promise<unknown> {
  const { invited, members } = (await read('alice')).get(`list/${list}`);
  return { invited: invited.map((each: any) => each.username === username), members: members.length };
}

async function settled(page: Page): Promise<void> {
  await until('nothing pending', async () => (await page.pending()) === 0);
}

async function newList(page: Page): Promise<string> {
  const id = newId('list');
  await page.rep.mutate.createList({ id, name: `The list ${id}`, kind: 'tasks' });
  return id;
}

beforeAll(async () => {
  host = await new Host().start();
  for (const user of ['alice', 'bob', 'carol', 'dave', 'erin']) tokens[user] = await host.signIn(user);
});
afterAll(() => host.dispose());
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
});

test('a list reaches a user, completely, only after acceptance', async () => {
  const [alice, bob] = [open('alice'), open('bob')];
  const list = await newList(alice);
  await alice.rep.mutate.createTask({ listId: list, id: 'secret', title: 'Secret' });
  // From here on the list is the server's record, not the page's optimistic one.
  await settled(alice);
  await alice.rep.mutate.shareList({ id: list, username: ' BOB ' });
  await until('the invitation', async () => (await bob.all()).has(`invitation/${list}`));
  expect((await read('bob')).get(`invitation/${list}`)).toMatchObject({
    id: list,
    name: `The list ${list}`,
    kind: 'tasks',
    from: { id: 'alice', name: 'Alice Archer' },
  });
  const keys = [...(await read('bob')).keys()].filter((key) => key.includes(list));
  expect(keys).toEqual([`invitation/${list}`]);
  await bob.rep.mutate.createTask({ listId: list, id: 'early', title: 'Early' });
  await settled(bob);
  expect((await read('alice')).has(`task/${list}/early`)).toBe(false);

  await bob.rep.mutate.acceptInvitation({ id: list });
  await until('the task at bob', async () => (await bob.all()).has(`task/${list}/secret`));
  expect((await read('alice')).get(`list/${list}`)).toMatchObject({
    members: [{ id: 'alice' }, { id: 'bob', name: 'Bob Baker' }],
    invited: [],
  });
  expect((await read('bob')).has(`invitation/${list}`)).toBe(false);
});

test.each(['bob', 'BOB', 'nobody-of-this-name', 'не́т', 'admin'])(
  'the owner sees the same for the name %s, whoever that is',
  async (username) => {
    const alice = open('alice');
    const list = await newList(alice);
    await alice.rep.mutate.shareList({ id: list, username });
    await settled(alice);
    expect(await seen(list, username)).toEqual({ invited: [true], members: 1 });
    await alice.rep.mutate.withdrawInvitation({ id: list, username });
    await settled(alice);
    expect(await seen(list, username)).toEqual({ invited: [], members: 1 });
    expect([...(await read('bob')).keys()].some((key) => key.includes(list))).toBe(false);
  },
);

test('a declined invitation looks unanswered to its sender', async () => {
  const [alice, carol] = [open('alice'), open('carol')];
  const list = await newList(alice);
  await alice.rep.mutate.shareList({ id: list, username: 'carol' });
  await until('the invitation', async () => (await carol.all()).has(`invitation/${list}`));
  await carol.rep.mutate.declineInvitation({ id: list });
  await settled(carol);
  expect(await seen(list, 'carol')).toEqual({ invited: [true], members: 1 });
  await carol.rep.mutate.acceptInvitation({ id: list });
  await settled(carol);
  expect((await read('carol')).has(`list/${list}`)).toBe(false);
});

test('a withdrawn, foreign or deleted-list invitation is refused', async () => {
  const [alice, carol] = [open('alice'), open('carol')];
  const [withdrawn, deleted, others] = [await newList(alice), await newList(alice), await newList(alice)];
  for (const id of [withdrawn, deleted]) await alice.rep.mutate.shareList({ id, username: 'carol' });
  await alice.rep.mutate.shareList({ id: others, username: 'bob' });
  await until('the invitation', async () => (await carol.all()).has(`invitation/${deleted}`));
  await alice.rep.mutate.withdrawInvitation({ id: withdrawn, username: 'carol' });
  await alice.rep.mutate.deleteList({ id: deleted });
  await settled(alice);
  for (const id of [withdrawn, deleted, others]) await carol.rep.mutate.acceptInvitation({ id });
  await settled(carol);
  const keys = [...(await read('carol')).keys()];
  expect(keys.some((key) => [withdrawn, deleted, others].some((id) => key.includes(id)))).toBe(false);
  expect((await read('alice')).has(`list/${deleted}`)).toBe(false);
});

async function withdrawAll(page: Page): Promise<void> {
  await until('the lists', async () => (await page.all('list/')).size > 0);
  for (const [key, value] of await page.all('list/'))
    for (const { username } of value.invited ?? [])
      await page.rep.mutate.withdrawInvitation({ id: key.slice(5), username });
  await settled(page);
}

test('invitations are limited per list, sender and receiver', async () => {
  const alice = open('alice');
  await withdrawAll(alice);
  const list = await newList(alice);
  for (let i = 0; i < 60; i++) await alice.rep.mutate.shareList({ id: list, username: `unknown-${i}` });
  const second = await newList(alice);
  for (let i = 0; i < 60; i++) await alice.rep.mutate.shareList({ id: second, username: `another-${i}` });
  await settled(alice);
  const mine = await read('alice');
  expect(mine.get(`list/${list}`).invited).toHaveLength(49); // 50 members including the owner
  expect([...mine.values()].reduce((sum, each) => sum + (each.invited?.length ?? 0), 0)).toBe(50);

  // Several senders, so that the receiver's limit is reached. A dropped invitation looks sent.
  for (const user of ['alice', 'bob', 'carol']) {
    const page = open(user);
    await withdrawAll(page);
    for (let i = 0; i < 15; i++)
      await page.rep.mutate.shareList({ id: await newList(page), username: 'dave' });
    await settled(page);
  }
  const received = [...(await read('dave')).keys()].filter((key) => key.startsWith('invitation/'));
  expect(received).toHaveLength(20);
  const sent = [...(await read('carol')).values()].filter((each) => each.invited?.[0]?.username === 'dave');
  expect(sent).toHaveLength(15);
});

test('lists are limited per user, and deleted lists do not count for members', async () => {
  const erin = open('erin');
  const ids: string[] = [];
  for (let i = 0; i < 105; i++) ids.push(await newList(erin));
  await settled(erin);
  const lists = async () => [...(await read('erin')).keys()].filter((key) => key.startsWith('list/')).length;
  expect(await lists()).toBe(100);
  for (const id of ids.slice(0, 50)) await erin.rep.mutate.deleteList({ id });
  for (let i = 0; i < 20; i++) await newList(erin);
  await settled(erin);
  expect(await lists()).toBe(70);
  // The id of a deleted list is not given to another user's list while its deletion is still pulled.
  const alice = open('alice');
  await alice.rep.mutate.createList({ id: ids[0]!, name: 'Mine', kind: 'tasks' });
  await settled(alice);
  expect((await read('alice')).has(`list/${ids[0]}`)).toBe(false);
});
