import { Auth } from '../../src/http/auth';
import { SharedConnection } from '../../src/tabs/sharedConnection';
import { FakeBrowser, type FakeTab } from '../support/fakeBrowser';
import { FakeJournal } from '../support/fakeJournal';

export const NAME = 'dunlin';

export interface Member {
  readonly tab: FakeTab;
  readonly connection: SharedConnection;
  readonly topics: readonly string[];
  readonly seen: number[];
  readonly resets: string[];
  /** Offset at which the tab came aboard: it must see all of its topics from there on. */
  start: number | undefined;
}

export let browser: FakeBrowser;
export let journal: FakeJournal;

/** Called before each test. */
export function setUp(): void {
  browser = new FakeBrowser();
  journal = new FakeJournal();
}

export function open(topics: readonly string[] = [], maxTopics = 64): Member {
  const tab = browser.open();
  journal.serve(tab);
  const connection = new SharedConnection({
    environment: tab,
    auth: new Auth(),
    deviceId: 'device-1',
    name: NAME,
    topics,
    maxTopics,
    awaitsHello: true,
    url: (wanted) => `/events?${wanted.map((topic) => `topic=${topic}`).join('&')}`,
  });
  const member: Member = { tab, connection, topics, seen: [], resets: [], start: undefined };
  connection.on('changed', (offset: number) => member.seen.push(offset));
  connection.onReset((reset) => member.resets.push(reset.reason));
  connection.onState((state) => {
    if (state.name === 'live') member.start ??= Number(connection.position!.split('-')[1]);
  });
  connection.connect();
  return member;
}

export const settled = () => browser.clock.advance(100);

export async function openAll(count: number): Promise<Member[]> {
  const members: Member[] = [];
  for (let index = 0; index < count; index++) {
    members.push(open());
    await settled();
  }
  return members;
}
