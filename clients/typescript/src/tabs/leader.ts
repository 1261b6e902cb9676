import { Feed } from '../connection/feed.js';
import { isTrying } from '../connection/state.js';
import type { Cancel, Environment } from '../environment.js';
import type { Auth } from '../http/auth.js';
import { comparePositions } from './cursor.js';
import type { HereMessage, LeaderNews } from './messages.js';
import { TAB_GONE_MS } from './timing.js';

/** Changes of the topics within this many milliseconds cost one reconnect. */
const COALESCE_MS = 20;

export interface LeaderOptions {
  readonly environment: Environment;
  readonly auth: Auth;
  readonly deviceId: string;
  /** Returns the address of a stream that carries these topics. */
  readonly url: (topics: readonly string[]) => string;
  readonly maxTopics: number;
  readonly heartbeatSeconds?: number | undefined;
  readonly awaitsHello?: boolean | undefined;
  /** Opens streams; default: `fetch` of the environment. */
  readonly fetch?: Environment['fetch'] | undefined;
}

/** The tab that holds the stream. It serves the topics of all tabs and broadcasts all news of the stream. */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #tell: (news: LeaderNews) => void;
  readonly #feed: Feed;
  readonly #tabs = new Map<string, { topics: readonly string[]; seenAt: number }>();
  readonly #refused = new Set<string>();
  #served: readonly string[] = [];
  /** The topics that the server accepted last. */
  #taken: readonly string[] = [];
  #stopCoalescing: Cancel | undefined;
  #isStopped = false;

  constructor(options: LeaderOptions, tell: (news: LeaderNews) => void) {
    this.#options = options;
    this.#tell = (news) => {
      if (!this.#isStopped) tell(news);
    };
    this.#feed = new Feed(
      {
        ...options,
        url: () => {
          this.#served = this.#wanted();
          return options.url(this.#served);
        },
      },
      {
        onFrame: (frame) => this.#tell({ kind: 'frame', frame }),
        onPosition: (position, previous) => this.#tell({ kind: 'position', position, previous }),
        onReset: (reset) => this.#tell({ kind: 'reset', reset }),
        onState: () => this.#onState(),
      },
    );
  }

  /** Opens the stream after `position`, for all known tabs. */
  start(position: string | undefined): void {
    this.#feed.reconnect(position);
    this.#feed.connect();
  }

  /** Closes the stream and sends no more news. */
  stop(): void {
    this.#isStopped = true;
    this.#stopCoalescing?.();
    this.#feed.dispose();
  }

  tellState(): void {
    const { state, position } = this.#feed;
    this.#tell({ kind: 'state', state, position, topics: this.#served });
  }

  heard({ tab, topics, behind }: HereMessage): void {
    const all = new Set([...this.#wanted(), ...topics]);
    if (all.size > this.#options.maxTopics && !this.#tabs.has(tab)) return this.#tell({ kind: 'full', tab });
    this.#tabs.set(tab, { topics, seenAt: this.#options.environment.now() });
    if (behind !== undefined) this.#rewind(behind);
    this.#feed.check();
    this.#serve();
  }

  wake(): void {
    this.#feed.wake();
  }

  forget(tab: string): void {
    if (this.#tabs.delete(tab)) this.#serve();
  }

  /** Removes tabs that ended without a message. `own` is this tab. */
  prune(own: string): void {
    const oldest = this.#options.environment.now() - TAB_GONE_MS;
    for (const [tab, { seenAt }] of [...this.#tabs]) {
      if (tab !== own && seenAt < oldest) this.forget(tab);
    }
  }

  #wanted(): string[] {
    const topics = [...this.#tabs.values()].flatMap((tab) => tab.topics);
    return [...new Set(topics)].filter((topic) => !this.#refused.has(topic)).sort();
  }

  // Replays the events that a tab missed. The other tabs drop known events.
  #rewind(position: string): void {
    const own = this.#feed.position;
    const distance = own === undefined ? -1 : comparePositions(position, own);
    if (distance !== undefined && distance < 0) this.#feed.reconnect(position);
  }

  #serve(): void {
    this.#stopCoalescing ??= this.#options.environment.setTimer(COALESCE_MS, () => {
      this.#stopCoalescing = undefined;
      if (this.#wanted().join('\n') !== this.#served.join('\n')) this.#feed.reconnect();
    });
  }

  // The server refused a stream, and the latest topics may be the cause. The tabs that asked for them open their own streams, so a refusal
  // affects only them. A leader whose first stream is refused keeps its own topics, because it was first.
  #letNewcomersGo(): boolean {
    if (this.#served.length === 0) return false;
    const [own] = this.#tabs.keys();
    const isOld = (tab: string, topics: readonly string[]) =>
      this.#taken.length > 0 ? topics.every((topic) => this.#taken.includes(topic)) : tab === own;
    const newcomers = [...this.#tabs].filter(([tab, { topics }]) => tab !== own && !isOld(tab, topics));
    for (const [tab] of newcomers) {
      this.#tabs.delete(tab);
      this.#tell({ kind: 'full', tab });
    }
    return newcomers.length > 0;
  }

  #onState(): void {
    const { state } = this.#feed;
    if (state.name === 'live') this.#taken = this.#served;
    const problem = state.name === 'closed' ? state.problem : undefined;
    const topic = problem?.kind === 'forbidden' ? problem.topic : undefined;
    if (problem && topic !== undefined && this.#served.includes(topic) && this.#served.length > 1) {
      this.#refused.add(topic);
      this.#tell({ kind: 'refused', topic, problem });
      if (!this.#isStopped && !isTrying(this.#feed.state)) this.#feed.connect();
      return;
    }
    if (problem && this.#letNewcomersGo()) {
      if (!this.#isStopped && !isTrying(this.#feed.state)) this.#feed.connect();
      return;
    }
    this.tellState();
  }
}
