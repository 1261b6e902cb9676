import type { TabMessage } from '../../../src/tabs/messages';
import { Cast, type Action, type Member, type MemberEvents } from './members';
import { at, isWanted, REFRESH, type Exchange } from './server';
import type { Observer, World } from './world';

export const INVARIANTS = {
  once: 'a tab receives each event of its topics once and in order',
  reset: 'a reset is reported only after events were removed',
  oldTerm: 'a message of an older term has no effect',
  newTerm: 'a new leader raises the term that it knows',
  oneStream: 'a browser holds one stream for a channel while nobody steals the lead',
  user: 'no tab uses or receives anything of another user',
  left: 'a tab that left sends, receives and holds nothing',
  live: 'at rest each tab is live and has everything',
  prompt: 'with Web Locks, tabs whose messages arrive need no beat to be live and to have everything',
  end: 'a connection ends only for a reason of its own',
  oneLeader: 'at rest one tab leads, and one stream carries the topics of all tabs and no others',
  rest: 'the tabs come to rest',
  errors: 'no handler or promise of the client fails',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, text: string) {
    super(`${INVARIANTS[invariant]}: ${text}`);
    this.invariant = invariant;
  }
}

/** Watches the tabs from outside, and checks them after each step and at rest. */
export class Checks implements Observer, MemberEvents {
  readonly cast: Cast;
  violation: Violation | undefined;
  readonly #world: World;
  #hasStolen = false;
  /** Tabs that could not say that they left: the leader forgets their topics only after minutes. */
  #hasCrashed = false;
  #hasTrimmed = false;
  /** Users of which a tab signed out. */
  readonly #signedOut = new Set<string>();
  /** A delivery of an older term: the effects of the member before it. */
  #old: { readonly member: Member; readonly effects: number; readonly text: string } | undefined;

  constructor(world: World, maxTopics?: number) {
    this.#world = world;
    this.cast = new Cast(world, this, maxTopics);
    world.observer = this;
  }

  fail(invariant: Invariant, text: string): void {
    this.violation ??= new Violation(invariant, text);
  }

  onAction(action: Action): void {
    const { do: what } = action;
    if (action.do === 'signOut') this.#signedOut.add(this.cast.members.get(action.member)!.user);
    if (what === 'crash' || what === 'freeze' || what === 'store') this.#hasCrashed = true;
    if (what === 'trim') this.#hasTrimmed = true;
  }

  // --- what happens in a step ------------------------------------------------------------------------------------------------------

  onPost(owner: string, channel: string, message: unknown): void {
    const member = this.cast.members.get(owner);
    if (!member) return;
    member.effects++;
    if (channel.endsWith(' election')) return;
    const sent = message as TabMessage;
    if (sent.kind === 'here') member.id = sent.tab;
    if (sent.kind !== 'leader') return;
    if (member.ledTerm === undefined && sent.term <= member.term)
      this.fail('newTerm', `${owner} leads in term ${sent.term} and knows of term ${member.term}`);
    member.ledTerm = Math.max(member.ledTerm ?? 0, sent.term);
    if (sent.term < member.ledTerm) this.fail('newTerm', `${owner} goes back to term ${sent.term}`);
    member.term = Math.max(member.term, sent.term);
  }

  onDelivery(owner: string, from: string, message: unknown): void {
    const member = this.cast.members.get(owner);
    const sender = this.cast.members.get(from);
    if (!member) return this.fail('left', `${owner} receives a message`);
    if (sender && sender.user !== member.user) this.fail('user', `${owner} receives a message of ${from}`);
    const received = message as TabMessage;
    if (received.kind !== 'leader' || member.connection.isLeading) return;
    if (received.news.kind === 'full' && received.news.tab === member.id && received.term >= member.term)
      member.isAlone = true;
    if (received.term >= member.term) member.term = received.term;
    else
      this.#old = {
        member,
        effects: member.effects,
        text: `${owner} of term ${member.term} acts on ${JSON.stringify(message)}`,
      };
  }

  onFetch({ owner, url, headers }: Exchange): void {
    const member = this.cast.members.get(owner);
    if (!member) return;
    member.effects++;
    if (url.pathname === REFRESH) return;
    if (!member.isWanted) this.fail('left', `${owner} left and opens a stream`);
    const [user] = (headers.get('Authorization') ?? '').replace('Bearer ', '').split('.');
    if (user !== member.user) this.fail('user', `${owner} of ${member.user} sends the token of ${user}`);
    const known = this.cast.topicsOf(member.user);
    for (const topic of url.searchParams.getAll('topic'))
      if (!known.has(topic)) this.fail('user', `${owner} of ${member.user} subscribes to ${topic}`);
  }

  onSteal(): void {
    this.#hasStolen = true;
  }

  onEvent(member: Member, offset: number): void {
    const { name, topics, user } = member;
    member.effects++;
    if (!member.isWanted) this.fail('left', `${name} receives event ${offset}`);
    const { entries } = this.#world.server;
    const entry = entries[offset - 1];
    if (entry?.user !== user)
      this.fail('user', `${name} of ${user} receives event ${offset} of ${entry?.user}`);
    if (entry && !isWanted(topics, entry.topic))
      this.fail('once', `${name} receives event ${offset} of ${entry.topic}`);
    const next = member.at === undefined ? offset : this.#dueAfter(member, member.at);
    if (offset !== next)
      this.fail('once', `${name} at ${member.at} receives event ${offset} instead of ${next}`);
    member.at = offset;
    member.seen.push(offset);
  }

  onReset(member: Member, position: string | undefined): void {
    member.effects++;
    member.resets++;
    if (!member.isWanted) this.fail('left', `${member.name} receives a reset`);
    if (!this.#hasTrimmed) this.fail('reset', `${member.name} reports a reset to ${position}`);
    member.at = offsetOf(position);
  }

  onState(member: Member): void {
    const { state } = member.connection;
    member.effects++;
    if (!member.isWanted && isActive(member)) this.fail('left', `${member.name} becomes ${state.name}`);
    if (state.name !== 'signedOut' && state.name !== 'closed') return;
    if (member.isWanted && !this.#mayEnd(member))
      this.fail('end', `${member.name} becomes ${JSON.stringify(state)}`);
    member.isWanted = false;
  }

  #mayEnd({ connection: { state }, topics, user }: Member): boolean {
    const { forbidden, maxTopics, generation } = this.#world.server;
    // A token that expires again before its first use is a refusal like any other.
    if (state.name === 'signedOut') return this.#signedOut.has(user) || generation > 2;
    if (state.name !== 'closed' || !state.problem) return true;
    const { problem } = state;
    if (problem.kind === 'forbidden')
      return topics.some(
        (name) => forbidden.has(name) && (problem.topic === undefined || problem.topic === name),
      );
    return topics.length > maxTopics;
  }

  /** The next event that is due for a member after an offset. */
  #dueAfter({ user, topics }: Member, after: number): number | undefined {
    return this.#world.server.entries.find(
      (entry) => entry.offset > after && entry.user === user && isWanted(topics, entry.topic),
    )?.offset;
  }

  // --- after each step -------------------------------------------------------------------------------------------------------------

  afterStep(): void {
    const world = this.#world;
    if (this.#old && this.#old.effects !== this.#old.member.effects) this.fail('oldTerm', this.#old.text);
    this.#old = undefined;
    for (const member of this.cast.members.values()) {
      const { connection, name } = member;
      member.at ??= offsetOf(connection.position);
      if (!connection.isLeading) {
        member.ledTerm = undefined;
        member.isAlone = false;
      }
      if (connection.position !== undefined && member.isWanted) this.#checkPosition(member);
      if (!member.isWanted && !isActive(member)) this.#checkGone(name);
    }
    for (const tab of world.tabs.values()) {
      const isInUse = [...this.cast.members.values()].some((each) => each.tab === tab && isActive(each));
      const [lock] = world.locksHeldOrAwaited(tab);
      if (!isInUse && lock !== undefined)
        this.fail('left', `${tab.name} left and holds or awaits the lock ${lock}`);
      if (tab.errors.length > 0) this.fail('errors', `${tab.name} reports ${String(tab.errors[0])}`);
    }
    if (world.isSecure && !this.#hasStolen) {
      const streams = new Map<string, string>();
      for (const { owner } of this.#streams) {
        const member = this.cast.members.get(owner);
        if (!member || member.isAlone) continue;
        const { user } = member;
        const other = streams.get(user);
        if (other !== undefined) this.fail('oneStream', `${other} and ${owner} have streams`);
        streams.set(user, owner);
      }
    }
  }

  /** The requests of streams. A refresh of the token belongs to the application. */
  get #streams(): Exchange[] {
    return [...this.#world.exchanges.values()].filter(({ url }) => url.pathname !== REFRESH);
  }

  // The position that the application stores must not pass an event that it did not receive.
  #checkPosition(member: Member): void {
    const position = offsetOf(member.connection.position)!;
    const due = this.#dueAfter(member, member.at!);
    if (due !== undefined && position >= due)
      this.fail('once', `${member.name} is at position ${position} without event ${due}`);
  }

  #checkGone(name: string): void {
    if (this.#world.portsOf(name).length > 0) this.fail('left', `${name} left and holds a channel`);
    for (const { owner, id } of this.#streams)
      if (owner === name) this.fail('left', `${name} left and holds request ${id}`);
  }

  // --- at rest ---------------------------------------------------------------------------------------------------------------------

  /** Whether all tabs look well, so that nothing is left to repair. */
  get isWell(): boolean {
    return [...this.cast.members.values()].every(
      (member) =>
        !member.isWanted ||
        (member.connection.isConnected() &&
          !member.tab.isFrozen &&
          this.#dueAfter(member, member.at ?? 0) === undefined),
    );
  }

  /**
   * Whether a tab may wait for a beat: the leader did not answer, or it could not say that it left. In an election by messages a late
   * timer may also make two tabs lead for a moment, and the beats repair what the loser announced.
   */
  get mayNeedBeat(): boolean {
    return this.#hasStolen || this.#hasCrashed || !this.#world.isSecure;
  }

  atRest(invariant: 'live' | 'prompt'): void {
    const members = [...this.cast.members.values()].filter(({ isWanted }) => isWanted);
    // A server that failed often is asked again after seconds.
    const isBackingOff = members.some(({ connection: { state } }) => state.name === 'waiting');
    if (invariant === 'prompt' && isBackingOff) return;
    for (const member of members) {
      const { name, connection } = member;
      if (!connection.isConnected()) this.fail(invariant, `${name} is ${connection.state.name}`);
      const due = this.#dueAfter(member, member.at ?? 0);
      if (due !== undefined) this.fail(invariant, `${name} at ${member.at} has not received event ${due}`);
    }
    if (invariant === 'prompt') return;
    for (const user of new Set(members.map((member) => member.user)))
      this.#checkLeader(
        user,
        members.filter((member) => member.user === user && !member.isAlone),
      );
  }

  #checkLeader(user: string, members: readonly Member[]): void {
    if (members.length === 0) return;
    const leaders = members.filter(({ connection }) => connection.isLeading).map(({ name }) => name);
    if (leaders.length !== 1) this.fail('oneLeader', `of ${user}: ${leaders.join() || 'nobody'} leads`);
    const streams = this.#streams.filter(({ owner }) => members.some(({ name }) => name === owner));
    if (streams.length !== 1) this.fail('oneLeader', `${user} has ${streams.length} streams`);
    const carried = streams[0]?.stream?.topics ?? [];
    const wanted = new Set(members.flatMap(({ topics }) => topics));
    for (const topic of wanted)
      if (!carried.includes(topic)) this.fail('oneLeader', `the stream of ${user} lacks ${topic}`);
    for (const topic of carried)
      if (!wanted.has(topic) && !this.#hasCrashed)
        this.fail('oneLeader', `the stream of ${user} still has ${topic}`);
  }
}

function isActive({ connection: { state } }: Member): boolean {
  return state.name !== 'closed' && state.name !== 'signedOut';
}

function offsetOf(position: string | undefined): number | undefined {
  return position === undefined ? undefined : Number(position.slice(at(0).length - 1));
}
