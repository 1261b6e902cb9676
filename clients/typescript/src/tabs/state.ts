import type { Reset } from '../connection/control.js';
import type { FeedFrame } from '../connection/feed.js';
import { INITIAL_STATE, type ConnectionState, type SignedOutReason } from '../connection/state.js';
import { isWanted } from '../topics.js';
import { comparePlace, judgeStep, type Step } from './cursor.js';
import type { HereMessage, LeaderMessage, LeaderNews, TabMessage } from './messages.js';
import { MISSED_BEATS, PRESENCE_BEATS, TAB_GONE_MS } from './timing.js';

/**
 * ```
 *         connect                elected
 *   off ----------> follower ---------------> leader
 *    ^                 |  ^ deposed              |
 *    |                 |  +----------------------+
 *    |  unavailable,   v
 *    |  full         alone
 *    +---- disconnect, signOut, pagehide, refusal: from every role
 * ```
 * `alone`: the tab reads a stream of its own, because it cannot be elected or the shared stream has no room for its topics.
 */
export type TabRole = 'off' | 'follower' | 'leader' | 'alone';

/** One tab of a shared connection. Immutable. */
export interface TabState {
  readonly role: TabRole;
  /** The state that the application sees. */
  readonly connection: ConnectionState;
  /** The position of the last event that the handlers received. */
  readonly position: string | undefined;
  /** Whether the leader's stream carries the topics of this tab and `position` is a position of that stream. */
  readonly isAttached: boolean;
  /** Number of the leadership. Messages with a lower term are ignored. */
  readonly term: number;
  readonly leaderTab: string;
  /** Topics and terms of the other tabs, so that this tab can serve them as soon as it leads. */
  readonly others: Readonly<
    Record<string, Pick<HereMessage, 'topics' | 'term'> & { readonly heardAt: number }>
  >;
  /** Term and position of the last replay request. Limits requests to one per position. */
  readonly askedAt: string | undefined;
  /** Whether the leader sent a message since the last beat. */
  readonly heard: boolean;
  /** Number of consecutive beats without a message of the leader. */
  readonly missed: number;
  readonly beats: number;
}

export type TabInput =
  | { readonly type: 'connect' | 'disconnect' | 'pagehide' | 'visible' }
  | { readonly type: 'pageshow'; readonly persisted?: boolean | undefined }
  | { readonly type: 'signOut'; readonly reason: SignedOutReason }
  /** From the election. */
  | { readonly type: 'elected' | 'deposed' | 'unavailable' }
  /** From another tab. */
  | { readonly type: 'message'; readonly message: TabMessage }
  /** From the stream that this tab holds. */
  | { readonly type: 'news'; readonly news: LeaderNews }
  | { readonly type: 'beat' }
  /** The wait after a message of a rival leader is over. */
  | { readonly type: 'outdo'; readonly term: number };

export type TabEffect =
  /** Open the channel and enter the election. */
  | { readonly type: 'enter' }
  /** Stop the beat and the stream, leave the election, close the channel; in this order. */
  | { readonly type: 'leave' }
  | { readonly type: 'post'; readonly message: TabMessage }
  /** Notify the other tabs, also when this tab is not connected. */
  | { readonly type: 'signOut'; readonly reason: SignedOutReason }
  | { readonly type: 'beat' }
  | { readonly type: 'election'; readonly call: 'enter' | 'leave' | 'steal' }
  /** Open the stream after the position, for these tabs. */
  | { readonly type: 'lead'; readonly tabs: readonly HereMessage[]; readonly position: string | undefined }
  | { readonly type: 'leader'; readonly call: 'heard'; readonly with: HereMessage }
  | { readonly type: 'leader'; readonly call: 'forget' | 'prune'; readonly with: string }
  | { readonly type: 'leader'; readonly call: 'tellState' | 'wake' | 'stop'; readonly with?: undefined }
  | { readonly type: 'receiver'; readonly call: 'receive'; readonly with: FeedFrame }
  | { readonly type: 'receiver'; readonly call: 'reset'; readonly with: Reset }
  /** Wait for the election to decide between two leaders. */
  | { readonly type: 'outdo'; readonly term: number }
  | { readonly type: 'announce'; readonly state: ConnectionState; readonly previous: ConnectionState };

/** What a transition depends on besides state and input. */
export interface TabContext {
  readonly tab: string;
  /** Topics of this tab. Empty for a stream without topics. */
  readonly topics: readonly string[];
  readonly now: number;
}

export const SUSPENDED: ConnectionState = { ...INITIAL_STATE, name: 'closed', suspended: true };
export const CONNECTING: ConnectionState = { name: 'connecting', stream: 0, attempt: 0, refresh: false };

export const INITIAL_TAB: TabState = {
  role: 'off',
  connection: INITIAL_STATE,
  position: undefined,
  isAttached: false,
  term: 0,
  leaderTab: '',
  others: {},
  askedAt: undefined,
  heard: false,
  missed: 0,
  beats: 0,
};

/** Returns the next state and the effects, which the caller carries out in order. No other code changes the state of a tab. */
export function transition(
  state: TabState,
  input: TabInput,
  context: TabContext,
): { readonly state: TabState; readonly effects: readonly TabEffect[] } {
  const turn = new Turn(state, context);
  turn.take(input);
  return turn;
}

/** One transition in progress: a copy of the state, and the effects so far. */
class Turn {
  readonly state: { -readonly [Key in keyof TabState]: TabState[Key] };
  readonly effects: TabEffect[] = [];
  readonly #context: TabContext;

  constructor(state: TabState, context: TabContext) {
    this.state = { ...state };
    this.#context = context;
  }

  take(input: TabInput): void {
    const { state, effects } = this;
    const { role, connection } = state;
    const isSuspended = connection.name === 'closed' && connection.suspended;
    switch (input.type) {
      case 'connect':
        if (role === 'off') this.#connect();
        return;
      case 'disconnect':
        if (role !== 'off') this.#leave(INITIAL_STATE);
        else if (isSuspended) this.#announce(INITIAL_STATE);
        return;
      case 'pagehide':
        if (role !== 'off') this.#leave(SUSPENDED);
        return;
      case 'pageshow':
        if (input.persisted && isSuspended) this.#connect();
        return;
      case 'signOut':
        effects.push(input);
        return this.#signedOut(input.reason);
    }
    if (role === 'off') return;
    switch (input.type) {
      case 'visible':
        return this.#post({ kind: 'wake' });
      case 'elected':
        if (role === 'follower') this.#lead();
        return;
      case 'deposed':
        if (role !== 'leader') return;
        state.role = 'follower';
        state.isAttached = false;
        effects.push({ type: 'leader', call: 'stop' }, { type: 'election', call: 'enter' });
        return this.#sayHere();
      case 'unavailable':
        return role === 'follower' ? this.#leadAlone() : undefined;
      case 'message':
        return this.#hear(input.message);
      case 'news':
        return this.#ownNews(input.news);
      case 'beat':
        return this.#beat();
      case 'outdo':
        if (role !== 'leader' || input.term < state.term) return;
        state.term = input.term + 1;
        effects.push({ type: 'leader', call: 'tellState' });
    }
  }

  #connect(): void {
    const { state, effects } = this;
    state.role = 'follower';
    state.isAttached = false;
    state.missed = state.beats = 0;
    // While it was off, this tab received no message of a tab that left.
    state.others = {};
    effects.push({ type: 'enter' });
    this.#sayHere();
    effects.push({ type: 'beat' });
    this.#announce(CONNECTING);
  }

  #leave(connection: ConnectionState): void {
    this.#post({ kind: 'bye', tab: this.#context.tab });
    this.state.role = 'off';
    this.effects.push({ type: 'leave' });
    this.#announce(connection);
  }

  #signedOut(reason: SignedOutReason): void {
    this.#leave({ name: 'signedOut', stream: 0, attempt: 0, reason });
  }

  #hear(message: TabMessage): void {
    const { state, effects } = this;
    const isLeader = state.role === 'leader';
    switch (message.kind) {
      case 'leader':
        return this.#fromLeader(message);
      case 'signOut':
        return this.#signedOut(message.reason);
      case 'here': {
        const { tab, topics, term = 0 } = message;
        state.others = { ...state.others, [tab]: { topics, term, heardAt: this.#context.now } };
        if (!isLeader) return;
        effects.push({ type: 'leader', call: 'heard', with: message }, { type: 'leader', call: 'tellState' });
        // This tab was elected without a message of the leader of that term, or slept while its lock was stolen.
        if (term > state.term) effects.push({ type: 'outdo', term });
        return;
      }
      case 'wake':
        if (state.role !== 'follower') effects.push({ type: 'leader', call: 'wake' });
        return;
      case 'bye':
        this.#forget(message.tab);
        if (isLeader) effects.push({ type: 'leader', call: 'forget', with: message.tab });
    }
  }

  #forget(tab: string): void {
    const { [tab]: _, ...others } = this.state.others;
    this.state.others = others;
  }

  #lead(): void {
    const { state } = this;
    state.term = Math.max(state.term, ...Object.values(state.others).map(({ term = 0 }) => term)) + 1;
    this.#forget(state.leaderTab);
    const oldest = this.#context.now - TAB_GONE_MS;
    const others = Object.entries(state.others)
      .filter(([, { heardAt }]) => heardAt >= oldest)
      .map(([tab, { topics }]): HereMessage => ({ kind: 'here', tab, topics }));
    this.#start('leader', others);
  }

  #leadAlone(): void {
    this.effects.push({ type: 'election', call: 'leave' });
    this.#start('alone', []);
  }

  #start(role: TabRole, others: readonly HereMessage[]): void {
    const { state, effects } = this;
    state.role = role;
    state.leaderTab = this.#context.tab;
    effects.push({ type: 'lead', tabs: [this.#here(), ...others], position: state.position });
  }

  #ownNews(news: LeaderNews): void {
    const { role, term } = this.state;
    if (role === 'alone') return this.#news(news);
    if (role !== 'leader') return;
    const message: LeaderMessage = { kind: 'leader', term, leader: this.#context.tab, news };
    this.#post(message);
    this.#fromLeader(message);
  }

  #fromLeader({ term, leader, news }: LeaderMessage): void {
    const { state } = this;
    if (state.role === 'alone' || term < state.term) return;
    const isLeader = state.role === 'leader';
    // The last message of the former leader, or one of the two slept while its lock was stolen. The election decides, not the message:
    // it deposes the loser, and the winner continues with a higher term.
    if (isLeader && leader !== this.#context.tab) return void this.effects.push({ type: 'outdo', term });
    const isNew = term !== state.term || leader !== state.leaderTab;
    state.term = term;
    state.leaderTab = leader;
    state.heard = true;
    state.missed = 0;
    if (isNew && !isLeader) {
      state.isAttached = false;
      state.askedAt = undefined;
      this.#sayHere();
    }
    this.#news(news);
  }

  #news(news: LeaderNews): void {
    const { topics, tab } = this.#context;
    switch (news.kind) {
      case 'frame':
        return this.#step(news.frame, news.frame);
      case 'position':
        return this.#step(news);
      case 'reset':
        if (this.state.isAttached) this.#reset(news.reset);
        return;
      case 'state':
        return this.#leaderState(news);
      case 'refused':
        if (topics.includes(news.topic))
          this.#leave({ ...INITIAL_STATE, problem: news.problem } as ConnectionState);
        return;
      case 'full':
        if (news.tab === tab && this.state.role === 'follower') this.#leadAlone();
    }
  }

  #step(step: Step, frame?: FeedFrame): void {
    const { state } = this;
    if (!state.isAttached) return;
    const decision = judgeStep(state.position, step);
    if (decision === 'drop') return;
    if (decision === 'gap') return this.#askForReplay();
    if (decision === 'lost') this.#reset({ reason: 'epoch', position: step.position });
    state.position = step.position;
    // The stream also carries topics of other tabs.
    if (frame && isWanted(frame, this.#context.topics))
      this.effects.push({ type: 'receiver', call: 'receive', with: frame });
  }

  #reset(reset: Reset): void {
    this.state.position = reset.position;
    this.effects.push({ type: 'receiver', call: 'reset', with: reset });
  }

  #leaderState({ state: connection, position, topics }: LeaderNews & { kind: 'state' }): void {
    const { state } = this;
    if (connection.name === 'signedOut' || connection.name === 'closed') {
      // These states concern all tabs. A leader that only leaves does not end the others.
      if (connection.name === 'closed' && !connection.problem) return;
      // Sent by the tab, not by the leader: the next leader may ignore messages of this term.
      if (state.role === 'leader' && connection.name === 'signedOut')
        this.#post({ kind: 'signOut', reason: connection.reason });
      return this.#leave(connection);
    }
    if (!this.#context.topics.every((topic) => topics.includes(topic))) {
      if (state.isAttached) this.#sayHere();
      state.isAttached = false;
      return this.#announce(CONNECTING);
    }
    state.isAttached = true;
    state.position ??= position;
    const place = comparePlace(state.position, position);
    if (place === 'behind') this.#askForReplay();
    else if (place === 'lost') this.#reset({ reason: 'epoch', position });
    this.#announce(connection);
  }

  #beat(): void {
    const { state, effects } = this;
    effects.push({ type: 'beat' });
    state.beats++;
    state.askedAt = undefined;
    if (state.role !== 'follower')
      return void effects.push({ type: 'leader', call: 'prune', with: this.#context.tab });
    if (!state.heard && ++state.missed > MISSED_BEATS) {
      state.missed = 0;
      return void effects.push({ type: 'election', call: 'steal' });
    }
    // While the stream is down, the timers of a hidden leader may be late. The message makes it check its timers.
    if (!state.heard || state.connection.name !== 'live' || state.beats % PRESENCE_BEATS === 0)
      this.#sayHere();
    state.heard = false;
  }

  // One request per position: the replay may start late.
  #askForReplay(): void {
    const { state } = this;
    const place = `${state.term} ${state.position}`;
    if (state.askedAt === place) return;
    state.askedAt = place;
    const message = this.#here(state.position);
    if (state.role === 'follower') this.#post(message);
    else this.effects.push({ type: 'leader', call: 'heard', with: message });
  }

  #sayHere(): void {
    this.#post(this.#here());
  }

  #here(behind?: string): HereMessage {
    const { tab, topics } = this.#context;
    return { kind: 'here', tab, topics, term: this.state.term, behind };
  }

  #post(message: TabMessage): void {
    const { role } = this.state;
    if (role !== 'alone' && role !== 'off') this.effects.push({ type: 'post', message });
  }

  #announce(connection: ConnectionState): void {
    const previous = this.state.connection;
    if (JSON.stringify(previous) === JSON.stringify(connection)) return;
    this.state.connection = connection;
    this.effects.push({ type: 'announce', state: connection, previous });
  }
}
