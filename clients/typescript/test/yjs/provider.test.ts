import { Awareness } from 'y-protocols/awareness';
import { afterEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { DocumentProvider } from '../../src/yjs/index';
import { FakeDocument, FakePage } from './fakeDocument';
import { settle } from '../support/clock';
import { Random, testSeed } from '../support/random';

const open: { dispose(): void }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) each.dispose();
});

function join(
  document: FakeDocument,
  { compactAfter, withCursor }: { compactAfter?: number; withCursor?: boolean } = {},
) {
  const page = new FakePage(document);
  const doc = new Y.Doc();
  const awareness = withCursor ? new Awareness(doc) : undefined;
  const { client } = page;
  const provider = new DocumentProvider({ client, doc, topic: document.topic, awareness, compactAfter });
  open.push(provider, ...(awareness ? [{ dispose: () => awareness.destroy() }] : []));
  return { page, doc, provider, awareness, text: doc.getText('text') };
}

test('An edit reaches the other page through the server', async () => {
  const document = new FakeDocument();
  const [one, other] = [join(document), join(document)];
  one.page.live();
  other.page.live();
  await settle();
  one.text.insert(0, 'Hello');
  expect(one.provider.get()).toMatchObject({ name: 'synced', hasUnsent: true });
  await settle();
  expect(other.text.toJSON()).toBe('Hello');
  expect(one.provider.get()).toMatchObject({ name: 'synced', hasUnsent: false });
});

test('Edits without a connection are sent as one update', async () => {
  const document = new FakeDocument();
  const one = join(document);
  one.text.insert(0, 'before ');
  one.page.live();
  await settle();
  one.page.cut();
  expect(one.provider.get().name).toBe('connecting');
  const head = document.head;
  for (const letter of 'offline') one.text.insert(one.text.length, letter);
  await settle();
  expect(document.head).toBe(head);
  one.page.live();
  await settle();
  const other = join(document);
  other.page.live();
  await settle();
  expect(other.text.toJSON()).toBe('before offline');
  expect(one.provider.get().hasUnsent).toBe(false);
});

test('A request without an answer is repeated, and changes nothing twice', async () => {
  const document = new FakeDocument();
  const [one, other] = [join(document), join(document)];
  one.page.live();
  other.page.live();
  await settle();
  one.page.network = () => 'lost';
  one.text.insert(0, 'once');
  await settle();
  expect(one.provider.get().hasUnsent).toBe(true);
  one.page.network = () => 'works';
  one.page.tick();
  await settle();
  expect(one.provider.get().hasUnsent).toBe(false);
  expect(other.text.toJSON()).toBe('once');
});

test('Content of a local cache is sent only if the server lacks it', async () => {
  const document = new FakeDocument();
  const one = join(document);
  one.page.live();
  await settle();
  one.text.insert(0, 'cached');
  await settle();
  const head = document.head;
  const page = new FakePage(document);
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(one.doc));
  open.push(new DocumentProvider({ client: page.client, doc, topic: document.topic }));
  page.live();
  await settle();
  expect(document.head).toBe(head);
  doc.getText('text').insert(6, ' and new');
  await settle();
  expect(one.text.toJSON()).toBe('cached and new');
});

test('The page that crosses the limit stores a snapshot for late readers', async () => {
  const document = new FakeDocument();
  const one = join(document, { compactAfter: 10 });
  one.page.live();
  await settle();
  const behind = join(document, { compactAfter: 10 });
  behind.page.live();
  await settle();
  behind.page.cut();
  behind.text.insert(0, 'behind ');
  for (let i = 0; i < 25; i++) {
    one.text.insert(one.text.length, 'x');
    await settle();
  }
  expect(document.snapshots).toBeGreaterThan(0);
  expect(document.trimmedThrough).toBeGreaterThan(0);
  behind.page.live();
  await settle();
  const late = join(document, { compactAfter: 10 });
  late.page.live();
  await settle();
  for (const page of [one, behind, late]) expect(page.text.toJSON()).toHaveLength('behind '.length + 25);
  expect(new Set([one, behind, late].map(({ text }) => text.toJSON())).size).toBe(1);
});

test('Undo takes back own edits only, also after a reset', async () => {
  const document = new FakeDocument();
  const [one, other] = [join(document), join(document)];
  const undo = new Y.UndoManager(one.text);
  one.page.live();
  other.page.live();
  await settle();
  one.text.insert(0, 'mine');
  await settle();
  other.text.insert(4, ' theirs');
  await settle();
  one.page.reset('trimmed');
  await settle();
  undo.undo();
  await settle();
  expect([one.text.toJSON(), other.text.toJSON()]).toEqual([' theirs', ' theirs']);
});

test('A server that lost its data gets the document of the page back', async () => {
  const document = new FakeDocument();
  const one = join(document);
  one.page.live();
  await settle();
  one.text.insert(0, 'kept');
  await settle();
  document.entries.length = 0;
  document.head = 0;
  one.page.reset('epoch');
  await settle();
  const other = join(document);
  other.page.live();
  await settle();
  expect(other.text.toJSON()).toBe('kept');
});

test('A reader without the right to write sees edits, and keeps its own', async () => {
  const document = new FakeDocument();
  const one = join(document);
  one.page.live();
  await settle();
  document.mayWrite = false;
  one.text.insert(0, 'refused');
  await settle();
  expect(one.provider.get()).toMatchObject({ name: 'synced', isReadOnly: true, hasUnsent: true });
  expect(one.provider.get().problem?.kind).toBe('forbidden');
  const requests = one.page.requests;
  one.text.insert(0, 'again ');
  await settle();
  expect(one.page.requests).toBe(requests);
});

test('An event that is no entry loads the document again', async () => {
  const document = new FakeDocument();
  const one = join(document);
  one.page.live();
  await settle();
  one.text.insert(0, 'sound');
  await settle();
  one.page.emit('stream.append', 1234, `00000001-${document.head + 1}`);
  await settle();
  expect(one.page.errors).toHaveLength(1);
  expect(one.provider.get()).toMatchObject({ name: 'synced', isLoaded: true });
  expect(one.text.toJSON()).toBe('sound');
});

test('Cursors reach pages that come later, and go with the connection', async () => {
  const document = new FakeDocument();
  const one = join(document, { withCursor: true });
  one.awareness!.setLocalState({ user: { name: 'ann' } });
  one.page.live();
  await settle();
  one.page.tick();
  await settle();
  const other = join(document, { withCursor: true });
  other.awareness!.setLocalState({ user: { name: 'bob' } });
  other.page.live();
  await settle();
  for (const { page } of [other, one, other]) {
    page.tick();
    await settle();
  }
  const names = ({ awareness }: typeof one) =>
    [...awareness!.getStates().values()].map((state) => (state['user'] as { name: string }).name).sort();
  expect([names(one), names(other)]).toEqual([
    ['ann', 'bob'],
    ['ann', 'bob'],
  ]);
  other.page.cut();
  expect(names(other)).toEqual(['bob']);
  one.provider.dispose();
  await settle();
});

const seed = testSeed();

test(`Pages converge whatever the network does (DUNLIN_SEED=${seed})`, { timeout: 60_000 }, async () => {
  const numbers = new Random(seed);
  const random = () => numbers.next();
  for (let round = 0; round < 20; round++) {
    const document = new FakeDocument();
    const pages = [0, 1, 2].map(() => join(document, { compactAfter: 8 }));
    for (const { page } of pages)
      page.network = () =>
        (['works', 'works', 'works', 'lost', 'refused'] as const)[Math.floor(random() * 5)]!;
    for (let step = 0; step < 120; step++) {
      const { page, text } = pages[Math.floor(random() * 3)]!;
      const choice = random();
      if (choice < 0.5) text.insert(Math.floor(random() * (text.length + 1)), String(step));
      else if (choice < 0.65 && text.length > 2) text.delete(Math.floor(random() * (text.length - 1)), 1);
      else if (choice < 0.75) page.cut();
      else if (choice < 0.9) page.live();
      else page.tick();
      if (random() < 0.5) await settle();
    }
    for (const { page } of pages) {
      page.network = () => 'works';
      page.live();
    }
    for (let i = 0; i < 5; i++) {
      for (const { page } of pages) page.tick();
      await settle();
    }
    const fresh = join(document);
    fresh.page.live();
    await settle();
    const texts = [...pages, fresh].map(({ text }) => text.toJSON());
    expect(new Set(texts).size).toBe(1);
    expect(pages.map(({ provider }) => provider.get().hasUnsent)).toEqual([false, false, false]);
    expect(pages.flatMap(({ page }) => page.errors)).toEqual([]);
    for (const { provider } of [...pages, fresh]) provider.dispose();
  }
});
