import { ConnectionBase } from '../connection/connection.js';
import type { WireFormat } from '../connection/decode.js';
import type { EventMap } from '../connection/receiver.js';
import type { ConnectionState, SignedOutReason } from '../connection/state.js';
import type { Broadcast, Cancel } from '../environment.js';
import { createElection, type Election } from './election.js';
import { Leader, type LeaderOptions } from './leader.js';
import type { TabMessage } from './messages.js';
import { INITIAL_TAB, transition, type TabEffect, type TabInput } from './state.js';
import { BEAT_MS, OUTDO_MS } from './timing.js';

export { BEAT_MS };

export interface SharedConnectionOptions extends LeaderOptions {
  /** Names lock and channel. Equal for all tabs that can share a stream, and for no others. */
  readonly name: string;
  /** Topics of this connection. Empty for a stream without topics. */
  readonly topics: readonly string[];
  readonly format?: WireFormat | undefined;
  /** Called when the connection is disposed. */
  readonly onDispose?: (() => void) | undefined;
}

/**
 * A connection over the one stream of this browser. One tab is elected to lead: it holds the stream and broadcasts every event. All tabs,
 * the leader too, compare the broadcast with their own position. So a change of leader neither loses nor repeats events: the new leader
 * resumes from its own position, and each tab drops known events and requests missing ones.
 *
 * `transition` decides; this class carries out the effects.
 */
export class SharedConnection<Events extends EventMap = EventMap> extends ConnectionBase<Events> {
  readonly #options: SharedConnectionOptions;
  readonly #tab: string;
  readonly #election: Election;
  readonly #signals: Cancel[];
  #tabState = INITIAL_TAB;
  #channel: Broadcast | undefined;
  #leader: Leader | undefined;
  #stopBeat: Cancel | undefined;

  /** Requires BroadcastChannel in `environment`. */
  constructor(options: SharedConnectionOptions) {
    super(options.environment, options.format);
    const { environment } = options;
    this.#options = options;
    this.#tab = environment.randomId();
    this.#election = createElection(environment, options.name, {
      onElected: () => this.#take({ type: 'elected' }),
      onDeposed: () => this.#take({ type: 'deposed' }),
      onUnavailable: () => this.#take({ type: 'unavailable' }),
    });
    this.#signals = [
      environment.onSignal('pagehide', () => this.#take({ type: 'pagehide' })),
      environment.onSignal('visible', () => this.#take({ type: 'visible' })),
      environment.onSignal('pageshow', ({ persisted }) => this.#take({ type: 'pageshow', persisted })),
    ];
  }

  get state(): ConnectionState {
    return this.#tabState.connection;
  }

  get position(): string | undefined {
    return this.#tabState.position;
  }

  /** Whether this tab holds the stream. */
  get isLeading(): boolean {
    const { role } = this.#tabState;
    return role === 'leader' || role === 'alone';
  }

  connect(): void {
    this.#take({ type: 'connect' });
  }

  disconnect(): void {
    this.#take({ type: 'disconnect' });
  }

  signOut(reason: SignedOutReason = 'signedOut'): void {
    this.#take({ type: 'signOut', reason });
  }

  dispose(): void {
    this.disconnect();
    for (const cancel of this.#signals.splice(0)) cancel();
    this.#options.onDispose?.();
  }

  #take(input: TabInput): void {
    const { topics, environment } = this.#options;
    const context = { tab: this.#tab, topics, now: environment.now() };
    const { state, effects } = transition(this.#tabState, input, context);
    this.#tabState = state;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: TabEffect): void {
    const { environment } = this.#options;
    switch (effect.type) {
      case 'enter':
        this.#channel = this.#openChannel();
        this.#channel.onMessage((message) => this.#take({ type: 'message', message: message as TabMessage }));
        return this.#election.enter();
      // Closes the stream before passing the lock on, so that the browser never holds two.
      case 'leave':
        this.#stopBeat?.();
        this.#leader?.stop();
        this.#leader = undefined;
        this.#election.leave();
        this.#channel?.close();
        this.#channel = undefined;
        return;
      case 'post':
        return this.#channel?.post(effect.message);
      case 'signOut': {
        const channel = this.#channel ?? this.#openChannel();
        channel.post({ kind: 'signOut', reason: effect.reason });
        return channel === this.#channel ? undefined : channel.close();
      }
      case 'beat':
        this.#stopBeat = environment.setTimer(BEAT_MS, () => this.#take({ type: 'beat' }));
        return;
      case 'election':
        return this.#election[effect.call]();
      case 'lead': {
        this.#leader?.stop();
        const leader = new Leader(this.#options, (news) => this.#take({ type: 'news', news }));
        this.#leader = leader;
        for (const tab of effect.tabs) leader.heard(tab);
        return leader.start(effect.position);
      }
      case 'leader':
        return this.#leader?.[effect.call](effect.with as never);
      case 'receiver':
        return this.receiver[effect.call](effect.with as never);
      case 'outdo':
        environment.setTimer(OUTDO_MS, () => this.#take({ type: 'outdo', term: effect.term }));
        return;
      case 'announce':
        // An earlier handler may have disconnected.
        if (effect.state === this.state) this.announce(effect.state, effect.previous);
    }
  }

  #openChannel(): Broadcast {
    return this.#options.environment.openBroadcast!(this.#options.name);
  }
}
