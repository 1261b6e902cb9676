import { ConnectionBase } from '../connection/connection.js';
import type { Reset } from '../connection/control.js';
import type { WireFormat } from '../connection/decode.js';
import type { EventMap } from '../connection/receiver.js';
import { INITIAL_STATE, type ConnectionState, type SignedOutReason } from '../connection/state.js';
import type { Broadcast, Cancel } from '../environment.js';
import { meansTopic } from '../topics.js';
import { Cursor, type Step } from './cursor.js';
import { createElection, type Election } from './election.js';
import { Leader, type LeaderOptions } from './leader.js';
import type { LeaderMessage, LeaderNews, TabMessage } from './messages.js';
import { BEAT_MS, MISSED_BEATS, OUTDO_MS, PRESENCE_BEATS, TAB_GONE_MS } from './timing.js';

export { BEAT_MS };

export interface SharedConnectionOptions extends LeaderOptions {
  /** Names lock and channel: the same for all tabs that can share a stream, and for no others. */
  readonly name: string;
  /** What this connection wants of the shared stream; empty for a stream without topics. */
  readonly topics: readonly string[];
  readonly format?: WireFormat | undefined;
  /** The connection was disposed of. */
  readonly onDispose?: (() => void) | undefined;
}

const SUSPENDED: ConnectionState = { name: 'closed', stream: 0, attempt: 0, suspended: true };
const CONNECTING: ConnectionState = { name: 'connecting', stream: 0, attempt: 0, refresh: false };

/**
 * A connection over the one stream of this browser. One tab is elected to lead: it has the stream and
 * broadcasts whatever comes. All tabs, the leader too, read the broadcast through a cursor, which makes a change of
 * leader invisible: the new one resumes from its own place, and each tab drops what it has seen and asks for what
 * it misses.
 */
export class SharedConnection<Events extends EventMap = EventMap> extends ConnectionBase<Events> {
  readonly #options: SharedConnectionOptions;
  readonly #tab: string;
  readonly #cursor = new Cursor();
  readonly #election: Election;
  readonly #signals: Cancel[];
  #state = INITIAL_STATE;
  #channel: Broadcast | undefined;
  #leader: Leader | undefined;
  /** A stream that only this tab reads, because the shared one has no room. */
  #isAlone = false;
  /** The topics of the other tabs, so that this one can serve them all from the moment it leads. */
  readonly #others = new Map<string, { topics: readonly string[]; heardAt: number }>();
  #term = 0;
  #leaderTab = '';
  /** The shared stream carries what this tab wants, and the cursor is on it. */
  #isAboard = false;
  #toldBehindAt: string | undefined;
  #heard = false;
  #missed = 0;
  #beats = 0;
  #stopBeat: Cancel | undefined;

  /** Only where `environment` has BroadcastChannel. */
  constructor(options: SharedConnectionOptions) {
    super(options.environment, options.format);
    const { environment } = options;
    this.#options = options;
    this.#tab = environment.randomId();
    this.#election = createElection(environment, options.name, {
      onElected: () => this.#lead(),
      onDeposed: () => this.#deposed(),
      onUnavailable: () => this.#leadAlone(),
    });
    this.#signals = [
      environment.onSignal('pagehide', () => {
        if (this.#isWorking) this.#leave(SUSPENDED);
      }),
      environment.onSignal('visible', () => this.#post({ kind: 'wake' })),
      environment.onSignal('pageshow', ({ persisted }) => {
        if (persisted && this.#state.name === 'closed' && this.#state.suspended) this.connect();
      }),
    ];
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get position(): string | undefined {
    return this.#cursor.position;
  }

  /** This tab holds the stream. */
  get isLeading(): boolean {
    return this.#leader !== undefined;
  }

  connect(): void {
    if (this.#isWorking) return;
    this.#setState(CONNECTING);
    this.#isAboard = false;
    this.#missed = this.#beats = 0;
    this.#channel = this.#options.environment.openBroadcast!(this.#options.name);
    this.#channel.onMessage((message) => this.#receive(message as TabMessage));
    this.#election.enter();
    this.#sayHere();
    this.#beat();
  }

  disconnect(): void {
    if (this.#isWorking) this.#leave(INITIAL_STATE);
    else if (this.#state.name === 'closed' && this.#state.suspended) this.#setState(INITIAL_STATE);
  }

  signOut(reason: SignedOutReason = 'signedOut'): void {
    // Also from a tab that is not connected itself.
    const channel = this.#channel ?? this.#options.environment.openBroadcast!(this.#options.name);
    channel.post({ kind: 'signOut', reason });
    if (channel !== this.#channel) channel.close();
    this.#leave({ name: 'signedOut', stream: 0, attempt: 0, reason });
  }

  dispose(): void {
    this.disconnect();
    for (const cancel of this.#signals.splice(0)) cancel();
    this.#options.onDispose?.();
  }

  get #isWorking(): boolean {
    return this.#channel !== undefined;
  }

  // The stream is closed before the lock is passed on, so that the browser never holds two.
  #leave(state: ConnectionState): void {
    this.#post({ kind: 'bye', tab: this.#tab });
    this.#stopBeat?.();
    this.#leader?.stop();
    this.#leader = undefined;
    this.#isAlone = false;
    this.#election.leave();
    this.#channel?.close();
    this.#channel = undefined;
    this.#setState(state);
  }

  #receive(message: TabMessage): void {
    if (!this.#isWorking) return;
    switch (message.kind) {
      case 'leader':
        return this.#fromLeader(message);
      case 'signOut':
        return this.#leave({ name: 'signedOut', stream: 0, attempt: 0, reason: message.reason });
      case 'here':
        this.#others.set(message.tab, { topics: message.topics, heardAt: this.#options.environment.now() });
        if (!this.#leader || this.#isAlone) return;
        this.#leader.heard(message);
        return this.#leader?.tellState();
      case 'wake':
        return this.#leader?.wake();
      case 'bye':
        this.#others.delete(message.tab);
        return this.#isAlone ? undefined : this.#leader?.forget(message.tab);
    }
  }

  #lead(): void {
    this.#term++;
    this.#others.delete(this.#leaderTab);
    this.#startLeader((news) => {
      const message: LeaderMessage = { kind: 'leader', term: this.#term, leader: this.#tab, news };
      this.#post(message);
      this.#fromLeader(message);
    });
  }

  #leadAlone(): void {
    this.#election.leave();
    this.#isAlone = true;
    this.#startLeader((news) => this.#news(news));
  }

  #startLeader(tell: (news: LeaderNews) => void): void {
    this.#leader?.stop();
    this.#leaderTab = this.#tab;
    const leader = new Leader(this.#options, tell);
    this.#leader = leader;
    leader.heard({ kind: 'here', tab: this.#tab, topics: this.#options.topics });
    if (!this.#isAlone) {
      const oldest = this.#options.environment.now() - TAB_GONE_MS;
      for (const [tab, { topics, heardAt }] of this.#others) {
        if (heardAt >= oldest) leader.heard({ kind: 'here', tab, topics });
      }
    }
    leader.start(this.#cursor.position);
  }

  // Another tab took the lead, because this one did not answer.
  #deposed(): void {
    this.#leader?.stop();
    this.#leader = undefined;
    if (!this.#isWorking) return;
    this.#isAboard = false;
    this.#election.enter();
    this.#sayHere();
  }

  #fromLeader({ term, leader, news }: LeaderMessage): void {
    if (this.#isAlone || term < this.#term) return;
    if (this.#leader && leader !== this.#tab) {
      return this.#outdo(term);
    }
    const isNew = term !== this.#term || leader !== this.#leaderTab;
    this.#term = term;
    this.#leaderTab = leader;
    this.#heard = true;
    this.#missed = 0;
    if (isNew && !this.#leader) {
      this.#isAboard = false;
      this.#toldBehindAt = undefined;
      this.#sayHere();
    }
    this.#news(news);
  }

  // Another tab speaks as the leader: its last words, or one of the two slept while its lock was stolen. The lock
  // decides, not the message, and it tells the loser; who still leads after that moment goes on with a higher term.
  #outdo(term: number): void {
    this.#options.environment.setTimer(OUTDO_MS, () => {
      if (!this.#leader || term < this.#term) return;
      this.#term = term + 1;
      this.#leader.tellState();
    });
  }

  #news(news: LeaderNews): void {
    switch (news.kind) {
      case 'frame':
        return this.#step(news.frame, () => this.#handle(news.frame));
      case 'position':
        return this.#step(news, () => {});
      case 'reset':
        if (this.#isAboard) this.#reset(news.reset);
        return;
      case 'state':
        return this.#leaderState(news);
      case 'refused':
        if (!this.#options.topics.includes(news.topic)) return;
        return this.#leave({
          name: 'closed',
          stream: 0,
          attempt: 0,
          suspended: false,
          problem: news.problem,
        });
      case 'full':
        if (news.tab === this.#tab && !this.#leader) this.#leadAlone();
        return;
    }
  }

  #step(step: Step, take: () => void): void {
    if (!this.#isAboard) return;
    switch (this.#cursor.judge(step)) {
      case 'take':
        this.#cursor.position = step.position;
        return take();
      case 'lost':
        this.#reset({ reason: 'epoch', position: step.position });
        return take();
      case 'gap':
        return this.#sayBehind();
      case 'drop':
        return;
    }
  }

  #handle(frame: {
    type: string;
    data: string;
    topic?: string | undefined;
    position?: string | undefined;
  }): void {
    const { topics } = this.#options;
    const { topic } = frame;
    // The stream carries what other tabs want too.
    const isOurs = topic === undefined || topics.some((wanted) => meansTopic(wanted, topic));
    if (isOurs || topics.length === 0) this.receiver.receive(frame);
  }

  #reset(reset: Reset): void {
    this.#cursor.position = reset.position;
    this.receiver.reset(reset);
  }

  #leaderState({ state, position, topics }: LeaderNews & { kind: 'state' }): void {
    if (state.name === 'signedOut' || state.name === 'closed') {
      // For all tabs alike. A leader that merely leaves says nothing.
      if (state.name === 'closed' && !state.problem) return;
      // Not as the leader: the tab that gets the lock next may not believe this one any more.
      if (this.#leader && state.name === 'signedOut') this.#post({ kind: 'signOut', reason: state.reason });
      return this.#leave(state);
    }
    const isServed = this.#options.topics.every((topic) => topics.includes(topic));
    if (!isServed) {
      if (this.#isAboard) this.#sayHere();
      this.#isAboard = false;
      return this.#setState(CONNECTING);
    }
    this.#isAboard = true;
    if (this.#cursor.position === undefined) this.#cursor.position = position;
    const standing = this.#cursor.compare(position);
    if (standing === 'behind') this.#sayBehind();
    else if (standing === 'lost' && position !== undefined) this.#reset({ reason: 'epoch', position });
    this.#setState(state);
  }

  #sayHere(behind?: string): void {
    this.#post({ kind: 'here', tab: this.#tab, topics: this.#options.topics, behind });
  }

  // Once per place: the answer is a replay, which may take a while to begin.
  #sayBehind(): void {
    const { position } = this.#cursor;
    const told = `${this.#term} ${position}`;
    if (this.#toldBehindAt === told) return;
    this.#toldBehindAt = told;
    if (this.#leader)
      this.#leader.heard({ kind: 'here', tab: this.#tab, topics: this.#options.topics, behind: position });
    else this.#sayHere(position);
  }

  #beat(): void {
    this.#stopBeat = this.#options.environment.setTimer(BEAT_MS, () => {
      this.#beat();
      this.#beats++;
      this.#toldBehindAt = undefined;
      if (this.#leader) return this.#leader.prune(this.#tab);
      if (!this.#heard && ++this.#missed > MISSED_BEATS) {
        this.#missed = 0;
        return this.#election.steal();
      }
      // While the stream is down the timers of a hidden leader may be late: the question has it look at the time.
      if (!this.#heard || !this.isConnected() || this.#beats % PRESENCE_BEATS === 0) this.#sayHere();
      this.#heard = false;
    });
  }

  #post(message: TabMessage): void {
    if (!this.#isAlone) this.#channel?.post(message);
  }

  #setState(state: ConnectionState): void {
    const previous = this.#state;
    if (JSON.stringify(previous) === JSON.stringify(state)) return;
    this.#state = state;
    this.announce(state, previous);
  }
}
