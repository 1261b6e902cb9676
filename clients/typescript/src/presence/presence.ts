import type { Cancel } from '../environment.js';
import type { Connection } from '../connection/connection.js';
import type { ReceivedEvent } from '../connection/decode.js';
import type { Requests } from '../http/requests.js';

/** A user with at least one connection to the topic. */
export interface PresentMember {
  readonly userId: string;
  readonly name: string;
  /** When the user connected, ISO 8601. Undefined for a user who connected while this page was watching. */
  readonly since?: string | undefined;
}

type MemberChange = (members: Map<string, PresentMember>) => void;

/**
 * The users who read a topic now. Changes are transient events without replay, so the list is fetched whenever the connection becomes live
 * or was reset. Changes that arrive during the fetch are applied on top of it.
 */
export class Presence {
  readonly #requests: Requests;
  readonly #topic: string;
  readonly #listeners = new Set<() => void>();
  readonly #cancels: Cancel[];
  #members: ReadonlyMap<string, PresentMember> = new Map();
  #generation = 0;
  /** Changes that arrived since the current fetch began. */
  #meanwhile: MemberChange[] | undefined;

  constructor(requests: Requests, connection: Connection, topic: string) {
    this.#requests = requests;
    this.#topic = topic;
    this.#cancels = [
      connection.on('presence.joined', (member: PresentMember, event) => {
        if (this.#isOurs(event)) this.#change((members) => members.set(member.userId, member));
      }),
      connection.on('presence.left', (member: PresentMember, event) => {
        if (this.#isOurs(event)) this.#change((members) => members.delete(member.userId));
      }),
      connection.onState((state, previous) => {
        if (state.name === 'live' && previous.name !== 'live') void this.refresh();
      }),
      connection.onReset(() => void this.refresh()),
    ];
    if (connection.isConnected()) void this.refresh();
  }

  get(): ReadonlyMap<string, PresentMember> {
    return this.#members;
  }

  subscribe(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Fetches the list. After a failure the list stays as it is until the connection becomes live again. */
  async refresh(): Promise<void> {
    const generation = ++this.#generation;
    const meanwhile: MemberChange[] = [];
    this.#meanwhile = meanwhile;
    try {
      const path = `/dunlin/v1/presence?topic=${encodeURIComponent(this.#topic)}`;
      const { body } = await this.#requests.send<{ present: PresentMember[] }>('GET', path);
      if (generation !== this.#generation) return;
      const members = new Map(body.present.map((member) => [member.userId, member]));
      for (const change of meanwhile) change(members);
      this.#publish(members);
    } catch {
      // The old list stays, see above.
    } finally {
      if (generation === this.#generation) this.#meanwhile = undefined;
    }
  }

  dispose(): void {
    this.#generation++;
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  #isOurs(event: ReceivedEvent): boolean {
    const topic = event.topic ?? (event.data as { topic?: string } | undefined)?.topic;
    return topic === undefined || topic === this.#topic;
  }

  #change(change: MemberChange): void {
    this.#meanwhile?.push(change);
    const members = new Map(this.#members);
    change(members);
    this.#publish(members);
  }

  #publish(members: ReadonlyMap<string, PresentMember>): void {
    this.#members = members;
    for (const listener of [...this.#listeners]) listener();
  }
}
