import {
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
  type Awareness,
} from 'y-protocols/awareness';
import type { Client } from '../client.js';
import type { Cancel } from '../environment.js';
import { fromBase64, toBase64 } from './entries.js';

export const AWARENESS_EVENT = 'yjs.awareness';

/** Milliseconds between two announcements of the own state. */
export const AWARENESS_MS = 100;

interface AwarenessChange {
  readonly added: number[];
  readonly updated: number[];
  readonly removed: number[];
}

/**
 * Sends the own awareness state (name, cursor) as transient events, and applies those of others. A state that is not renewed expires after
 * 30 seconds, by the rules of y-protocols.
 */
export class Cursors {
  readonly #awareness: Awareness;
  readonly #client: Client;
  readonly #topic: string;
  readonly #cancels: Cancel[] = [];
  #timer: Cancel | undefined;
  #isLive = false;
  #isAnnounced = false;
  /** The state of a page that was left, for its return from the back/forward cache. */
  #left: ReturnType<Awareness['getLocalState']> = null;

  constructor(awareness: Awareness, client: Client, topic: string) {
    this.#awareness = awareness;
    this.#client = client;
    this.#topic = topic;
    const changed = ({ added, updated, removed }: AwarenessChange, origin: unknown) => {
      const isOwn = [...added, ...updated, ...removed].includes(awareness.clientID);
      // Somebody new does not know this page yet.
      if (origin === this ? added.length > 0 : isOwn) this.#schedule();
    };
    awareness.on('update', changed);
    this.#cancels.push(
      () => awareness.off('update', changed),
      client.environment.onSignal('pagehide', () => this.#leave()),
    );
  }

  live(): void {
    this.#isLive = true;
    if (this.#left) this.#awareness.setLocalState(this.#left);
    this.#left = null;
    this.#schedule();
  }

  /** Without a connection nobody knows where the others are. */
  lost(): void {
    this.#isLive = false;
    const others = [...this.#awareness.getStates().keys()].filter((id) => id !== this.#awareness.clientID);
    removeAwarenessStates(this.#awareness, others, this);
  }

  /** Throws for data that is no awareness update. */
  receive(data: unknown): void {
    applyAwarenessUpdate(this.#awareness, fromBase64(data), this);
  }

  dispose(): void {
    this.#timer?.();
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#leave();
    this.lost();
  }

  #schedule(): void {
    if (!this.#isLive || this.#timer) return;
    this.#timer = this.#client.environment.setTimer(AWARENESS_MS, () => {
      this.#timer = undefined;
      if (this.#isLive && this.#awareness.getLocalState() !== null) this.#send();
    });
  }

  // The stream may have closed before this handler of the page runs.
  #leave(): void {
    if (!this.#isAnnounced || this.#awareness.getLocalState() === null) return;
    this.#left = this.#awareness.getLocalState();
    removeAwarenessStates(this.#awareness, [this.#awareness.clientID], 'leave');
    this.#send(true);
  }

  // Best effort: the next change, or the renewal after 15 seconds, sends the state again.
  #send(keepalive = false): void {
    this.#isAnnounced = true;
    const data = toBase64(encodeAwarenessUpdate(this.#awareness, [this.#awareness.clientID]));
    const body = { topic: this.#topic, type: AWARENESS_EVENT, data, transient: true };
    this.#client.requests.send('POST', '/dunlin/v1/events', { body, keepalive }).catch(() => {});
  }
}
