import type { Broadcast, Cancel } from '../environment.js';
import { createElection, type Election } from '../tabs/election.js';
import { BEAT_MS, MISSED_BEATS, OUTDO_MS, PRESENCE_MS } from '../tabs/timing.js';
import type { CombinedOptions, StreamAnswer, StreamNews } from './combined.js';
import { Holder, type TabRequest } from './holder.js';
import { StreamMoved } from './moved.js';

export interface TransportOptions extends CombinedOptions {
  /** Names lock and channel. Equal for all tabs of one user and server, and for no others. */
  readonly name: string;
}

/**
 * From the holder. Every new holder has a higher term. Tabs ignore lower terms, so a deposed holder that wakes from sleep has no effect.
 */
interface HolderMessage {
  readonly kind: 'holder';
  readonly term: number;
  readonly holder: string;
  /** The recipient of the news. */
  readonly tab: string;
  readonly news?: StreamNews | 'unsupported' | undefined;
}

type Message = HolderMessage | (TabRequest & { readonly term: number });

/** Bytes that a tab reads before it reports them. The holder stops reading only at many times that. */
const READ_BYTES = 64 * 1024;

/** Milliseconds for which a tab without a stream stays in the election. */
const LINGER_MS = 1000;

/** A stream of this tab. */
interface Carried {
  readonly id: string;
  readonly url: string;
  readonly init: RequestInit;
  readonly resolve: (response: Response | Promise<Response>) => void;
  readonly reject: (error: unknown) => void;
  body: ReadableStreamDefaultController<Uint8Array> | undefined;
  unread: number;
}

/**
 * Carries the event streams of the whole browser over one HTTP response, for all addresses and formats. Over HTTP/1.1 a browser
 * allows six connections to a host, and each separate stream would occupy one.
 *
 * `fetch` has the signature of the browser's. Behind it, one elected tab holds a combined response (`CombinedStream`) and passes the bytes
 * of each stream to its tab. When that tab closes, freezes or is deposed, the streams of all tabs end with `StreamMoved`. Their feeds
 * reopen them from their last event ids, through the next holder.
 */
export class StreamTransport {
  readonly #options: TransportOptions;
  readonly #tab: string;
  readonly #election: Election;
  readonly #streams = new Map<string, Carried>();
  readonly #stopListening: Cancel;
  #channel: Broadcast | undefined;
  #holder: Holder | undefined;
  #holderTab = '';
  #term = 0;
  #count = 0;
  #heard = false;
  #missed = 0;
  #saidHereAt = 0;
  #stopBeat: Cancel | undefined;
  #stopLingering: Cancel | undefined;
  #isUnsupported = false;

  /** Requires BroadcastChannel in `environment`. */
  constructor(options: TransportOptions) {
    const { environment, name } = options;
    this.#options = options;
    this.#tab = environment.randomId();
    this.#election = createElection(environment, name, {
      onElected: () => this.#elected(),
      onDeposed: () => this.#deposed(),
      // Web Locks exist but are forbidden: each tab opens its own streams.
      onUnavailable: () => this.#unsupported(),
    });
    this.#stopListening = environment.onSignal('pagehide', () => this.#leave());
  }

  /** Whether this tab holds the response. */
  get isHolding(): boolean {
    return this.#holder !== undefined;
  }

  /** Works as `fetch`, for event streams under `base`. */
  readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
    if (this.#isUnsupported) return this.#options.environment.fetch(url, init);
    return new Promise((resolve, reject) => {
      init.signal?.throwIfAborted();
      const id = `${this.#tab}.${++this.#count}`;
      const stream: Carried = { id, url, init, resolve, reject, body: undefined, unread: 0 };
      init.signal?.addEventListener('abort', () => {
        if (!this.#streams.has(id)) return;
        this.#send({ kind: 'close', tab: this.#tab, id });
        this.#fail(stream, init.signal!.reason);
        this.#mayLeave();
      });
      this.#streams.set(id, stream);
      this.#enter();
      this.#open(stream);
    });
  };

  dispose(): void {
    this.#leave();
    this.#stopListening();
  }

  #enter(): void {
    if (this.#channel) return;
    this.#missed = 0;
    this.#saidHereAt = this.#options.environment.now();
    this.#heard = false;
    this.#channel = this.#options.environment.openBroadcast!(this.#options.name);
    this.#channel.onMessage((message) => this.#receive(message as Message));
    this.#election.enter();
    this.#beat();
  }

  // Closes the response before passing the lead on, so that the browser never holds two.
  #leave(): void {
    if (!this.#channel) return;
    this.#send({ kind: 'bye', tab: this.#tab });
    this.#stopBeat?.();
    this.#holder?.stop();
    this.#holder = undefined;
    this.#election.leave();
    this.#channel.close();
    this.#channel = undefined;
    for (const stream of [...this.#streams.values()]) this.#fail(stream, new StreamMoved());
  }

  /** Leaves the election after `LINGER_MS` without a stream, so that a reconnect does not cost an election. */
  #mayLeave(): void {
    if (!this.#isIdle) return;
    this.#stopLingering ??= this.#options.environment.setTimer(LINGER_MS, () => {
      this.#stopLingering = undefined;
      if (this.#isIdle) this.#leave();
    });
  }

  get #isIdle(): boolean {
    return this.#streams.size === 0 && (!this.#holder || this.#holder.isIdle);
  }

  #open({ id, url, init }: Carried): void {
    const path = url.slice(this.#options.base.length);
    const lastEventId = (init.headers as Record<string, string>)['Last-Event-ID'];
    this.#send({ kind: 'open', tab: this.#tab, wish: { id, path, lastEventId } });
  }

  #send(request: TabRequest): void {
    if (this.#holder) this.#holder.heard(request);
    else this.#channel?.post({ ...request, term: this.#term });
  }

  #receive(message: Message): void {
    if (!this.#channel) return;
    if (message.kind === 'holder') return this.#fromHolder(message);
    if (!this.#holder) return;
    // Exceed every term that a tab has seen: tabs ignore lower terms.
    if (message.term > this.#term) this.#term = message.term + 1;
    this.#holder.heard(message);
    this.#mayLeave();
  }

  #elected(): void {
    this.#term++;
    this.#holderTab = this.#tab;
    this.#holder = new Holder(
      this.#options,
      (tab, news) => this.#tell(tab, news),
      () => this.#unsupported(),
    );
    this.#tell('');
    this.#openAll();
  }

  #deposed(): void {
    this.#holder?.stop();
    this.#holder = undefined;
    this.#holderTab = '';
    if (!this.#channel) return;
    this.#openAll();
    this.#election.enter();
  }

  /** The holder changed: open streams end as moved, and requested streams are requested again. */
  #openAll(): void {
    for (const stream of [...this.#streams.values()]) {
      if (stream.body) this.#fail(stream, new StreamMoved());
      else this.#open(stream);
    }
  }

  #tell(tab: string, news?: HolderMessage['news']): void {
    const message: HolderMessage = { kind: 'holder', term: this.#term, holder: this.#tab, tab, news };
    if (tab === this.#tab) this.#fromHolder(message);
    else this.#channel?.post(message);
  }

  #fromHolder({ term, holder, tab, news }: HolderMessage): void {
    if (term < this.#term) return;
    if (this.#holder && holder !== this.#tab) return this.#outdo(term);
    this.#term = term;
    this.#heard = true;
    this.#missed = 0;
    if (holder !== this.#holderTab) {
      this.#holderTab = holder;
      this.#openAll();
    }
    if (news === 'unsupported') return this.#unsupported();
    if (tab === this.#tab && news) this.#news(news);
  }

  // Another tab acts as the holder: its last message, or one of the two woke from sleep. The election decides, not the message.
  #outdo(term: number): void {
    this.#options.environment.setTimer(OUTDO_MS, () => {
      if (!this.#holder || term < this.#term) return;
      this.#term = term + 1;
      this.#tell('');
    });
  }

  #news(news: StreamNews): void {
    const stream = this.#streams.get(news.id);
    if (!stream) return;
    switch (news.kind) {
      case 'answer':
        return this.#answer(stream, news.answer);
      case 'bytes':
        stream.unread += news.bytes.length;
        return stream.body?.enqueue(news.bytes);
      case 'end':
        if (news.moved && !stream.body) return this.#open(stream);
        this.#fail(stream, news.moved ? new StreamMoved() : new TypeError('network: the stream ended'));
        return this.#mayLeave();
      case 'own':
        this.#streams.delete(news.id);
        stream.resolve(this.#options.environment.fetch(stream.url, stream.init));
        return this.#mayLeave();
    }
  }

  #answer(stream: Carried, { status, headers, body }: StreamAnswer): void {
    if (body !== undefined) {
      this.#streams.delete(stream.id);
      // A status that `Response` does not accept is a fault of the server.
      const isPossible = status >= 200 && status <= 599;
      const isEmpty = status === 204 || status === 205 || status === 304;
      stream.resolve(new Response(isEmpty ? null : body, { status: isPossible ? status : 502, headers }));
      return this.#mayLeave();
    }
    const { id } = stream;
    const flow = new ReadableStream<Uint8Array>({
      start: (controller) => void (stream.body = controller),
      pull: () => {
        if (stream.unread < READ_BYTES) return;
        this.#send({ kind: 'read', tab: this.#tab, id, bytes: stream.unread });
        stream.unread = 0;
      },
    });
    stream.resolve(new Response(flow, { status, headers }));
  }

  #fail(stream: Carried, error: unknown): void {
    if (!this.#streams.delete(stream.id)) return;
    stream.body?.error(error);
    stream.reject(error);
  }

  #unsupported(): void {
    if (this.#isUnsupported) return;
    this.#isUnsupported = true;
    if (this.#holder) this.#tell('', 'unsupported');
    for (const stream of [...this.#streams.values()]) {
      if (stream.body) continue;
      this.#streams.delete(stream.id);
      stream.resolve(this.#options.environment.fetch(stream.url, stream.init));
    }
    this.#leave();
  }

  #beat(): void {
    this.#stopBeat = this.#options.environment.setTimer(BEAT_MS, () => {
      this.#beat();
      if (this.#holder) {
        this.#holder.prune(this.#tab);
        return this.#mayLeave();
      }
      if (!this.#heard && ++this.#missed > MISSED_BEATS) {
        this.#missed = 0;
        return this.#election.steal();
      }
      const now = this.#options.environment.now();
      if (!this.#heard || now - this.#saidHereAt >= PRESENCE_MS) {
        this.#saidHereAt = now;
        this.#send({ kind: 'here', tab: this.#tab, ids: [...this.#streams.keys()] });
      }
      this.#heard = false;
    });
  }
}
