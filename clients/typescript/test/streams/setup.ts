import { expect } from 'vitest';
import { Auth } from '../../src/http/auth';
import { StreamTransport } from '../../src/streams/transport';
import { SharedConnection } from '../../src/tabs/sharedConnection';
import { FakeBrowser, type FakeTab } from '../support/fakeBrowser';
import { FakeCombined } from '../support/fakeCombined';
import { FakeJournal } from '../support/fakeJournal';

export interface Page {
  readonly tab: FakeTab;
  readonly transport: StreamTransport;
  readonly connection: SharedConnection;
  readonly topic: string;
  readonly seen: number[];
  readonly resets: string[];
  /** Offset at which the page came aboard: it must see all of its topic from there on. */
  start: number | undefined;
}

export let browser: FakeBrowser;
export let journal: FakeJournal;
export let server: FakeCombined;

/** Called before each test. */
export function setUp(): void {
  browser = new FakeBrowser();
  journal = new FakeJournal();
  server = new FakeCombined(journal);
}

/** A page of a system: its stream has an address of its own, shared by the tabs of the same system. */
export function open(topic: string, auth = new Auth()): Page {
  const tab = browser.open();
  server.serve(tab);
  const options = { environment: tab, auth, deviceId: 'device-1' };
  const transport = new StreamTransport({ ...options, base: '', name: 'streams' });
  const connection = new SharedConnection({
    ...options,
    name: `page ${topic}`,
    topics: [],
    maxTopics: 64,
    awaitsHello: true,
    fetch: transport.fetch,
    url: () => `/${topic}/stream?topic=${topic}`,
  });
  const page: Page = { tab, transport, connection, topic, seen: [], resets: [], start: undefined };
  connection.on('changed', (offset: number) => page.seen.push(offset));
  connection.onReset((reset) => page.resets.push(reset.reason));
  connection.onState((state) => {
    if (state.name === 'live') page.start ??= Number(connection.position!.split('-')[1]);
  });
  connection.connect();
  return page;
}

export const TOPICS = ['documents', 'todos', 'warranty', 'focus', 'wishlists'];
export const settled = () => browser.clock.advance(1000);

export async function openEight(): Promise<Page[]> {
  const pages: Page[] = [];
  for (let index = 0; index < 8; index++) {
    pages.push(open(TOPICS[index % TOPICS.length]!));
    await settled();
  }
  return pages;
}

export function publishAll(): void {
  for (const topic of TOPICS) journal.publish(topic);
}

export function due(page: Page): number[] {
  const own = journal.entries.filter(({ topic, offset }) => topic === page.topic && offset > page.start!);
  return own.map(({ offset }) => offset);
}

export function expectAllLive(pages: readonly Page[]): void {
  for (const page of pages) {
    expect(page.connection.state.name, page.tab.name).toBe('live');
    expect(page.seen, `${page.tab.name} of ${page.topic}`).toEqual(due(page));
    expect(page.resets).toEqual([]);
  }
}
