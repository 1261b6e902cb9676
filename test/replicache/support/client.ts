import { setMaxListeners } from 'node:events';
import { Replicache, type ReplicacheOptions } from 'replicache';
import { createMutators, type Mutators } from '../../../apps/todos/web/src/state/mutators';

export type Rep = Replicache<Mutators>;

export interface ClientOptions {
  readonly address: string;
  readonly user: string;
  readonly token: string;
  readonly name?: string;
  readonly more?: Partial<ReplicacheOptions<Mutators>>;
}

let made = 0;

/** One page: the real client, pulled by pokes only. */
export class Page {
  readonly rep: Rep;
  readonly words: string[] = [];
  readonly #options: ClientOptions;
  readonly #end = new AbortController();
  lost = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { address, user, token } = options;
    this.rep = new Replicache<Mutators>({
      name: options.name ?? `${user}-${process.pid}-${++made}`,
      kvStore: 'mem',
      pullInterval: null,
      pushDelay: 2,
      requestOptions: { minDelayMs: 5, maxDelayMs: 400 },
      schemaVersion: '1',
      auth: `Bearer ${token}`,
      pushURL: `${address}/api/v1/replicache/push`,
      pullURL: `${address}/api/v1/replicache/pull`,
      logSinks: [],
      mutators: createMutators({ id: user, name: user }),
      ...options.more,
    });
    this.rep.onClientStateNotFound = () => {
      this.lost++;
    };
    setMaxListeners(0, this.#end.signal);
    void this.#listen();
  }

  async all(prefix = ''): Promise<Map<string, any>> {
    const entries = await this.rep.query((tx) => tx.scan({ prefix }).entries().toArray());
    return new Map(entries as [string, unknown][]);
  }

  pending(): Promise<number> {
    return this.rep.experimentalPendingMutations().then((list) => list.length);
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.rep.close();
  }

  async #listen(): Promise<void> {
    const { address, token } = this.#options;
    while (!this.#end.signal.aborted) {
      try {
        const answer = await fetch(`${address}/api/v1/replicache/stream`, {
          headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' },
          signal: this.#end.signal,
        });
        let text = '';
        const decoder = new TextDecoder();
        for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
          text += decoder.decode(chunk, { stream: true });
          const lines = text.split('\n');
          text = lines.pop()!;
          for (const line of lines) if (line.startsWith('data: ')) this.#hear(line.slice(6));
        }
      } catch {
        // The connection was cut or the host is down: retried below.
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  #hear(word: string): void {
    this.words.push(word);
    if (word === 'connected' || word === 'sync') this.rep.pull().catch(() => {});
  }
}
