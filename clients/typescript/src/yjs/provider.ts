import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Client } from '../client.js';
import type { Connection } from '../connection/connection.js';
import type { Reset } from '../connection/control.js';
import type { ReceivedEvent } from '../connection/decode.js';
import type { ConnectionState } from '../connection/state.js';
import type { Cancel } from '../environment.js';
import { isTemporary, problemOf } from '../http/problem.js';
import { AWARENESS_EVENT, Cursors } from './cursors.js';
import { EntryReader, fromBase64, SNAPSHOT, type Entry } from './entries.js';
import { INITIAL, transition, type DocumentInput, type DocumentState } from './state.js';

export interface DocumentOptions {
  readonly client: Client;
  readonly doc: Y.Doc;
  /** The name of the document, which is its topic: `notes/7`. */
  readonly topic: string;
  /** The path of `MapYjs`; default `/api/yjs`. */
  readonly path?: string | undefined;
  /** Names and cursors of the users. Without it nothing of the kind is sent. */
  readonly awareness?: Awareness | undefined;
  /** A connection with this topic. Default: one of the provider's own. */
  readonly connection?: Connection | undefined;
  /** Updates after which a page stores a snapshot; default 500. */
  readonly compactAfter?: number | undefined;
}

/** Milliseconds until a request that failed for a time is repeated while the stream is live. */
const RETRY_MS = 2_000;
const STREAM_EVENT = 'stream.append';

/**
 * Keeps a Yjs document and the server's copy equal. Edits are sent at once, one request at a time; edits of the meantime become one update.
 * A repeated update changes nothing, so a request without an answer is simply repeated.
 */
export class DocumentProvider {
  readonly connection: Connection;
  readonly #options: DocumentOptions;
  readonly #url: string;
  readonly #cursors: Cursors | undefined;
  readonly #cancels: Cancel[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #events = new EntryReader();
  /** What the server has: the next clock of each client. */
  readonly #known = new Map<number, number>();
  #state = INITIAL;
  #unsent: Uint8Array[] = [];
  /** Events that arrived while the document was loaded. */
  #early: ReceivedEvent[] | undefined;
  #load = 0;
  /** The offset through which all entries are applied; -1 for none. */
  #offset = -1;
  #sinceSnapshot = 0;
  #isSending = false;
  #isCompacting = false;
  #retry: Cancel | undefined;

  constructor(options: DocumentOptions) {
    const { client, doc, topic, awareness } = options;
    this.#options = options;
    this.#url = `${options.path ?? '/api/yjs'}/${topic.split('/').map(encodeURIComponent).join('/')}`;
    this.#cursors = awareness && new Cursors(awareness, client, topic);
    this.connection = options.connection ?? client.connection({ topics: [topic] });
    const edited = (update: Uint8Array, origin: unknown) => {
      if (origin === this) return;
      this.#unsent.push(update);
      this.#take({ type: 'edited' });
      void this.#flush();
    };
    doc.on('update', edited);
    this.#cancels.push(
      () => doc.off('update', edited),
      this.connection.onState((state) => this.#connectionChanged(state)),
      this.connection.onReset((reset) => this.#reset(reset)),
      this.connection.on(STREAM_EVENT, (_, event) => this.#receive(event)),
      this.connection.on(AWARENESS_EVENT, (data, { topic: from }) => {
        if (from === topic) this.#cursors?.receive(data);
      }),
      client.environment.onSignal('pagehide', () => void this.#flush(true)),
    );
    this.#connectionChanged(this.connection.state);
    this.connection.connect();
  }

  get(): DocumentState {
    return this.#state;
  }

  subscribe(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends unsent edits once more, and stops. */
  dispose(): void {
    void this.#flush(true);
    this.#cursors?.dispose();
    this.#retry?.();
    this.#load++;
    for (const cancel of this.#cancels.splice(0)) cancel();
    if (!this.#options.connection) this.connection.dispose();
    this.#listeners.clear();
  }

  #take(input: DocumentInput): void {
    const before = this.#state;
    this.#state = transition(before, input);
    if (this.#state === before) return;
    for (const listener of [...this.#listeners]) listener();
  }

  #connectionChanged(state: ConnectionState): void {
    if (state.name === 'live') {
      this.#take({ type: 'live' });
      this.#cursors?.live();
      if (this.#state.name === 'loading') void this.#loadEntries();
      else void this.#flush();
    } else if (state.name === 'closed' || state.name === 'signedOut') {
      this.#cursors?.lost();
      this.#take({ type: 'ended', problem: state.name === 'closed' ? state.problem : undefined });
    } else {
      this.#cursors?.lost();
      this.#take({ type: 'lost' });
    }
  }

  // Entries are missing. Those that were removed are in a snapshot; with another history, none of them is.
  #reset({ reason }: Pick<Reset, 'reason'>): void {
    if (reason !== 'trimmed') this.#offset = -1;
    this.#take({ type: 'reset' });
    if (this.connection.isConnected()) void this.#loadEntries();
  }

  async #loadEntries(): Promise<void> {
    const load = ++this.#load;
    this.#events.clear();
    this.#early = [];
    const { client } = this.#options;
    try {
      const after = this.#offset < 0 ? '' : `?after=${this.#offset}`;
      const answer = await client.requests.send<Uint8Array>('GET', this.#url + after, { binary: true });
      if (load !== this.#load) return;
      const isWhole = after === '';
      if (isWhole) this.#known.clear();
      this.#apply(new EntryReader().push(answer.body));
      this.#offset = Number(answer.headers.get('Dunlin-Offset'));
      const early = this.#early;
      this.#early = undefined;
      // Content from before this provider (a cache of the page, or a server that lost data) may be unknown to the server.
      if (isWhole) this.#keepUnknown();
      this.#take({ type: 'loaded' });
      for (const event of early) this.#receive(event);
      void this.#flush();
    } catch (error) {
      if (load !== this.#load) return;
      this.#early = undefined;
      const problem = problemOf(error);
      if (!isTemporary(problem)) return this.#take({ type: 'loadRefused', problem });
      this.#again(() => this.#state.name === 'loading' && void this.#loadEntries());
    }
  }

  #receive(event: ReceivedEvent): void {
    if (event.topic !== this.#options.topic) return;
    if (this.#early) return void this.#early.push(event);
    if (!this.#state.isLoaded) return;
    const offset = Number(event.position?.split('-')[1]);
    if (offset <= this.#offset) return; // the request was faster
    try {
      this.#apply(this.#events.push(fromBase64(event.data)));
      if (!this.#events.isPartial) this.#offset = offset;
    } catch (error) {
      this.#options.client.environment.reportError(error);
      this.#reset({ reason: 'unknown' });
    }
  }

  #apply(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const updates = entries.map(({ update }) => update);
    for (const update of updates) this.#learn(update);
    Y.applyUpdate(this.#options.doc, updates.length === 1 ? updates[0]! : Y.mergeUpdates(updates), this);
    const last = entries.findLastIndex(({ kind }) => kind === SNAPSHOT);
    this.#sinceSnapshot = last < 0 ? this.#sinceSnapshot + entries.length : entries.length - 1 - last;
  }

  #learn(update: Uint8Array): void {
    for (const [client, clock] of Y.parseUpdateMeta(update).to)
      this.#known.set(client, Math.max(clock, this.#known.get(client) ?? 0));
  }

  /** Removes from an update what the server has. Deletions stay, because nothing tells whether the server has them. */
  #unknownOf(update: Uint8Array): Uint8Array {
    return Y.diffUpdate(update, Y.encodeStateVector(this.#known));
  }

  #keepUnknown(): void {
    const unknown = this.#unknownOf(Y.encodeStateAsUpdate(this.#options.doc));
    if (Y.parseUpdateMeta(unknown).to.size === 0) return;
    this.#unsent.push(unknown);
    this.#take({ type: 'edited' });
  }

  async #flush(keepalive = false): Promise<void> {
    if (this.#isSending || this.#unsent.length === 0 || this.#state.isReadOnly) return;
    if (this.#state.name !== 'synced') return;
    this.#isSending = true;
    const update = this.#unknownOf(Y.mergeUpdates(this.#unsent.splice(0)));
    let isRepeated = false;
    try {
      if (update.some((byte) => byte !== 0))
        await this.#options.client.requests.send('POST', this.#url, { body: update, keepalive });
      this.#learn(update);
      if (this.#unsent.length === 0) this.#take({ type: 'sent' });
    } catch (error) {
      isRepeated = true;
      this.#unsent.unshift(update);
      const problem = problemOf(error);
      if (isTemporary(problem)) this.#again(() => void this.#flush());
      else this.#take({ type: 'editRefused', problem });
    } finally {
      this.#isSending = false;
    }
    if (isRepeated) return;
    if (this.#unsent.length > 0) return this.#flush();
    await this.#compact();
  }

  /** The page whose update crosses the limit stores a snapshot. If it fails to, the page of a later update does. */
  async #compact(): Promise<void> {
    const { client, doc, compactAfter = 500 } = this.#options;
    const { pendingStructs, pendingDs } = doc.store;
    if (this.#isCompacting || this.#sinceSnapshot < compactAfter || this.#state.name !== 'synced') return;
    if (pendingStructs !== null || pendingDs !== null) return; // the document lacks what others depend on
    this.#isCompacting = true;
    this.#sinceSnapshot = 0; // also after a failure: do not try again at once
    try {
      const body = Y.encodeStateAsUpdate(doc);
      await client.requests.send('PUT', `${this.#url}?through=${this.#offset}`, { body });
    } catch (error) {
      const problem = problemOf(error);
      if (!isTemporary(problem)) client.environment.reportError(error);
    } finally {
      this.#isCompacting = false;
    }
  }

  #again(code: () => void): void {
    this.#retry?.();
    this.#retry = this.#options.client.environment.setTimer(RETRY_MS, code);
  }
}
