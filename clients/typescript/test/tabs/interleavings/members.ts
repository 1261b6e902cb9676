import { Client } from '../../../src/client';
import type { Connection } from '../../../src/connection/connection';
import { REFRESH } from './server';
import type { Tab } from './tab';
import type { World } from './world';

/** What a scenario does to the tabs. `member` names a connection; its first letter is its tab. */
export type Action =
  /** Opens a connection, in a new tab if there is none of that letter. */
  | {
      readonly do: 'open';
      readonly member: string;
      readonly user?: string;
      readonly topics: readonly string[];
    }
  | { readonly do: 'disconnect' | 'connect' | 'signOut' | 'dispose'; readonly member: string }
  | {
      readonly do: 'close' | 'crash' | 'freeze' | 'thaw' | 'show' | 'store' | 'restore';
      readonly tab: string;
    }
  | { readonly do: 'publish'; readonly topic: string; readonly user?: string }
  | { readonly do: 'forbid'; readonly topic: string }
  | { readonly do: 'break' | 'trim' | 'expire' }
  /** The server loses each chunk that no tab has received. This deliberate fault proves that the checks work. */
  | { readonly do: 'lose' }
  /** The next action of the thread happens at least `ms` milliseconds later. */
  | { readonly do: 'wait'; readonly ms: number };

export const USER = 'u';

/** One connection of a tab, and what its application saw. */
export interface Member {
  readonly name: string;
  readonly tab: Tab;
  readonly user: string;
  readonly topics: readonly string[];
  readonly client: Client;
  readonly connection: Connection & { readonly isLeading: boolean };
  /** Whether the application wants events. Turns false when the connection ends by itself. */
  isWanted: boolean;
  /** Offset up to which the application has everything. Undefined until the connection has a position. */
  at: number | undefined;
  readonly seen: number[];
  resets: number;
  /** Highest term that the member used or accepted. */
  term: number;
  /** Lowest term of the current leadership. */
  ledTerm: number | undefined;
  /** The id that its messages carry. */
  id: string | undefined;
  /** Whether it has a stream of its own, because the leader's has no room for its topics. */
  isAlone: boolean;
  /** Counts everything that the outside can see of the member. */
  effects: number;
}

export interface MemberEvents {
  onEvent(member: Member, offset: number): void;
  onReset(member: Member, position: string | undefined): void;
  onState(member: Member): void;
}

/** Runs the actions of a scenario against real clients. */
export class Cast {
  readonly members = new Map<string, Member>();
  readonly #topics = new Map<string, Set<string>>();
  readonly #world: World;
  readonly #events: MemberEvents;

  constructor(world: World, events: MemberEvents, maxTopics?: number) {
    this.#world = world;
    this.#events = events;
    if (maxTopics !== undefined) world.server.maxTopics = maxTopics;
  }

  /** All topics that connections of a user ever asked for. */
  topicsOf(user: string): ReadonlySet<string> {
    return this.#topics.get(user) ?? new Set();
  }

  /** Returns the tab that an action runs in, or undefined if it concerns the server alone. */
  tabOf(action: Action): string | undefined {
    if ('member' in action) return action.member[0];
    return 'tab' in action ? action.tab : undefined;
  }

  /** Whether the action is possible now. An impossible one is passed over, so that scenarios can be shortened freely. */
  canRun(action: Action): boolean {
    const name = this.tabOf(action);
    const tab = name === undefined ? undefined : this.#world.tabs.get(name);
    if (action.do === 'open') return !this.members.has(action.member) && !tab?.isFrozen;
    if (name === undefined) return true;
    if (!tab) return false;
    if (action.do === 'thaw' || action.do === 'restore' || action.do === 'crash') return true;
    return !tab.isFrozen && (!('member' in action) || this.members.has(action.member));
  }

  run(action: Action): void {
    const { server, exchanges, tabs } = this.#world;
    switch (action.do) {
      case 'open':
        return this.#open(action.member, action.user ?? USER, action.topics);
      case 'publish':
        return void server.publish(action.user ?? USER, action.topic, exchanges.values());
      case 'forbid':
        return void server.forbidden.add(action.topic);
      case 'break':
        return this.#world.breakStreams();
      case 'lose':
        for (const { chunks } of exchanges.values()) chunks.length = 0;
        return;
      case 'trim':
        server.trimmed = server.head;
        return;
      case 'expire':
        return server.expireTokens(exchanges.values());
      case 'wait':
        return;
      case 'connect':
      case 'disconnect':
      case 'signOut':
      case 'dispose':
        return this.#call(action.do, this.members.get(action.member)!);
      default:
        this.#tab(action.do, tabs.get(action.tab)!);
    }
  }

  #call(what: 'connect' | 'disconnect' | 'signOut' | 'dispose', member: Member): void {
    if (what === 'connect') member.isWanted = true;
    member.connection[what]();
    if (what === 'connect') return;
    member.isWanted = false;
    if (what === 'dispose') this.members.delete(member.name);
  }

  #tab(what: 'close' | 'crash' | 'freeze' | 'thaw' | 'show' | 'store' | 'restore', tab: Tab): void {
    const members = [...this.members.values()].filter((member) => member.tab === tab);
    switch (what) {
      case 'close':
        tab.signal('pagehide', { persisted: false });
        this.#world.end(tab);
        break;
      case 'crash':
        this.#world.end(tab);
        break;
      case 'freeze':
        tab.isFrozen = true;
        return;
      case 'thaw':
        tab.isFrozen = false;
        return;
      case 'show':
        return tab.signal('visible');
      case 'store':
        tab.signal('pagehide', { persisted: true });
        tab.isFrozen = true;
        for (const member of members) member.isWanted = false;
        return;
      case 'restore':
        tab.isFrozen = false;
        for (const member of members) member.isWanted ||= isSuspended(member);
        return tab.signal('pageshow', { persisted: true });
    }
    for (const member of members) {
      member.isWanted = false;
      this.members.delete(member.name);
    }
  }

  #open(name: string, user: string, topics: readonly string[]): void {
    const world = this.#world;
    const tab = world.tabs.get(name[0]!) ?? world.open(name[0]!);
    this.#topics.set(user, new Set([...this.topicsOf(user), ...topics]));
    if (!world.tokens.has(user)) world.tokens.set(user, world.server.generation);
    const environment = tab.environment(name);
    const client = new Client({
      environment,
      user,
      combine: false,
      transports: ['sse'],
      token: () => `${user}.${world.tokens.get(user)}`,
      refresh: async () => {
        await environment.fetch(REFRESH, { method: 'POST', headers: { Authorization: `Bearer ${user}.0` } });
        world.tokens.set(user, world.server.generation);
        return true;
      },
    });
    const connection = client.connection({ topics }) as Member['connection'];
    const member: Member = {
      name,
      tab,
      user,
      topics,
      client,
      connection,
      isWanted: true,
      at: undefined,
      seen: [],
      resets: 0,
      term: 0,
      ledTerm: undefined,
      id: undefined,
      isAlone: false,
      effects: 0,
    };
    this.members.set(name, member);
    connection.on('changed', (offset: number) => this.#events.onEvent(member, offset));
    connection.onReset(({ position }) => this.#events.onReset(member, position));
    connection.onState(() => this.#events.onState(member));
    connection.connect();
  }
}

function isSuspended({ connection: { state } }: Member): boolean {
  return state.name === 'closed' && state.suspended;
}
