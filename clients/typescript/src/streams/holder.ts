import type { Cancel } from '../environment.js';
import { TAB_GONE_MS } from '../tabs/timing.js';
import { CombinedStream, type CombinedOptions, type StreamNews, type StreamWish } from './combined.js';

/** From any tab to the tab that holds the response. */
export type TabRequest =
  | { readonly kind: 'open'; readonly tab: string; readonly wish: StreamWish }
  | { readonly kind: 'close'; readonly tab: string; readonly id: string }
  /** The tab has read this many bytes of a stream. */
  | { readonly kind: 'read'; readonly tab: string; readonly id: string; readonly bytes: number }
  /** The tab is alive and has these streams. The holder answers. */
  | { readonly kind: 'here'; readonly tab: string; readonly ids: readonly string[] }
  | { readonly kind: 'bye'; readonly tab: string };

/** The server's default limit for one response. Further streams get their own requests. */
const MAX_STREAMS = 32;
/** The holder stops reading the response while a tab has this many unread bytes. */
const MAX_UNREAD = 1024 * 1024;
/** A tab that reads nothing for this many milliseconds counts as frozen. Its streams end, and it resumes when it wakes. */
const FROZEN_MS = 5000;

interface Carried {
  readonly tab: string;
  unread: number;
}

/** Carries the streams of all tabs of the browser. It runs in the elected tab. */
export class Holder {
  readonly #options: CombinedOptions;
  readonly #tell: (tab: string, news?: StreamNews) => void;
  readonly #combined: CombinedStream;
  readonly #streams = new Map<string, Carried>();
  readonly #tabs = new Map<string, number>();
  #resume: (() => void) | undefined;

  /** `tell` without news only announces the holder. */
  constructor(
    options: CombinedOptions,
    tell: (tab: string, news?: StreamNews) => void,
    onUnsupported: () => void,
  ) {
    this.#options = options;
    this.#tell = tell;
    this.#combined = new CombinedStream(options, {
      onNews: (news) => this.#news(news),
      onUnsupported,
      whenRead: () => this.#whenRead(),
    });
  }

  get isIdle(): boolean {
    return this.#streams.size === 0;
  }

  heard(message: TabRequest): void {
    const { tab } = message;
    this.#tabs.set(tab, this.#options.environment.now());
    switch (message.kind) {
      case 'open': {
        const { wish } = message;
        if (this.#streams.has(wish.id)) return;
        if (this.#streams.size >= MAX_STREAMS) return this.#tell(tab, { kind: 'own', id: wish.id });
        this.#streams.set(wish.id, { tab, unread: 0 });
        return this.#combined.open(wish);
      }
      case 'close':
        return this.#close(message.id);
      case 'read': {
        const stream = this.#streams.get(message.id);
        if (stream) stream.unread -= message.bytes;
        return this.#mayResume();
      }
      case 'here':
        for (const [id, stream] of [...this.#streams])
          if (stream.tab === tab && !message.ids.includes(id)) this.#close(id);
        for (const id of message.ids)
          if (!this.#streams.has(id)) this.#tell(tab, { kind: 'end', id, moved: true });
        return this.#tell(tab);
      case 'bye':
        return this.#forget(tab);
    }
  }

  /** Removes tabs that ended without a message. `own` is this tab. */
  prune(own: string): void {
    const oldest = this.#options.environment.now() - TAB_GONE_MS;
    for (const [tab, seenAt] of [...this.#tabs]) {
      if (tab === own || seenAt >= oldest) continue;
      const ids = [...this.#streams].filter(([, stream]) => stream.tab === tab).map(([id]) => id);
      this.#forget(tab);
      // The tab may be frozen. It reopens its streams when it wakes.
      for (const id of ids) this.#tell(tab, { kind: 'end', id, moved: true });
    }
  }

  stop(): void {
    this.#combined.stop();
    this.#streams.clear();
    this.#mayResume();
  }

  #forget(tab: string): void {
    this.#tabs.delete(tab);
    for (const [id, stream] of [...this.#streams]) if (stream.tab === tab) this.#close(id);
  }

  #close(id: string): void {
    this.#combined.close(id);
    if (this.#streams.delete(id)) this.#mayResume();
  }

  #news(news: StreamNews): void {
    const { id } = news;
    const stream = this.#streams.get(id);
    if (!stream) return;
    if (news.kind === 'bytes') stream.unread += news.bytes.length;
    else if (news.kind !== 'answer' || news.answer.body !== undefined) this.#streams.delete(id);
    this.#tell(stream.tab, news);
  }

  get #behind(): [string, Carried][] {
    return [...this.#streams].filter(([, { unread }]) => unread > MAX_UNREAD);
  }

  #whenRead(): Promise<void> | undefined {
    if (this.#behind.length === 0) return undefined;
    return new Promise((resolve) => {
      const stop: Cancel = this.#options.environment.setTimer(FROZEN_MS, () => {
        for (const [id, { tab }] of this.#behind) {
          this.#close(id);
          this.#tell(tab, { kind: 'end', id, moved: true });
        }
      });
      this.#resume = () => {
        stop();
        resolve();
      };
    });
  }

  #mayResume(): void {
    if (!this.#resume || this.#behind.length > 0) return;
    this.#resume();
    this.#resume = undefined;
  }
}
