import { meansTopic } from '../../src/topics';
import type { FakeTab } from './fakeBrowser';
import { FakeStreams, json, OpenStream } from './fakeServer';

interface Entry {
  readonly offset: number;
  readonly topic: string;
  readonly also: readonly string[];
}

interface Reader {
  readonly stream: OpenStream;
  readonly topics: readonly string[];
  readonly tab: FakeTab;
}

/** A server with a journal. It numbers events, replays them after Last-Event-ID, and resets streams that resume from trimmed positions. */
export class FakeJournal {
  readonly entries: Entry[] = [];
  readonly forbidden = new Set<string>();
  maxTopics = 64;
  epoch = 'e1';
  /** Highest trimmed offset. */
  trimmed = 0;
  opened = 0;
  readonly #readers = new Set<Reader>();

  get head(): number {
    return this.entries.length;
  }

  /** The open streams. */
  get readers(): Reader[] {
    return [...this.#readers].filter((reader) => !reader.stream.isClosed);
  }

  /** Connects a tab to this server. */
  serve(tab: FakeTab): void {
    const streams = new FakeStreams();
    streams.onOpen = (stream) => this.attach(stream, tab);
    tab.fetchWith = async (address, init) => {
      const url = new URL(address, 'http://server.test');
      const refused = url.searchParams.getAll('topic').find((topic) => this.forbidden.has(topic));
      if (refused) return json(403, { code: 'topic.forbidden', title: 'Not yours.', topic: refused });
      if (url.searchParams.getAll('topic').length > this.maxTopics)
        return json(400, { code: 'too_many_topics', title: 'Too many.' });
      return streams.fetch(address, init);
    };
  }

  publish(topic: string, also: readonly string[] = []): number {
    const entry = { offset: this.entries.length + 1, topic, also };
    this.entries.push(entry);
    for (const reader of this.readers) this.#send(reader, entry);
    return entry.offset;
  }

  announce(type: string, data: unknown): void {
    for (const reader of this.readers) reader.tab.run(() => reader.stream.event(undefined, type, data));
  }

  /** Sends a control frame to all readers. */
  control(name: string, data: unknown): void {
    for (const reader of this.readers) reader.tab.run(() => reader.stream.control(undefined, name, data));
  }

  /** Breaks all streams, as a restart does. */
  break(): void {
    for (const reader of this.readers) reader.stream.break();
    this.#readers.clear();
  }

  /** Attaches a stream that a tab opened. */
  attach(stream: OpenStream, tab: FakeTab): void {
    this.opened++;
    const topics = stream.url.searchParams.getAll('topic');
    const reader: Reader = { stream, topics, tab };
    const hello = { connectionId: `connection-${this.opened}`, position: `${this.epoch}-${this.head}` };
    tab.run(() => stream.control(undefined, 'hello', { ...hello, heartbeatSeconds: 3600 }));
    const [epoch, offset] = (stream.lastEventId ?? `${this.epoch}-${this.head}`).split('-');
    if (epoch !== this.epoch || Number(offset) < this.trimmed) {
      tab.run(() => stream.control(`${this.epoch}-${this.head}`, 'reset', { reason: 'trimmed' }));
    } else {
      for (const entry of this.entries.slice(Number(offset))) this.#send(reader, entry);
    }
    this.#readers.add(reader);
  }

  #send({ stream, topics, tab }: Reader, { offset, topic, also }: Entry): void {
    const isWanted = [topic, ...also].some((name) => topics.some((wanted) => meansTopic(wanted, name)));
    if (topics.length > 0 && !isWanted) return;
    tab.run(() => stream.event(`${this.epoch}-${offset}`, 'changed', offset, topic, also));
  }
}
