const BASE = '/api/v1/replicache';

/** Number of open streams, of this user and of all users. */
export interface StreamStats {
  readonly userConnections: number;
  readonly totalConnections: number;
}

/** The requests of the stream page. A native `EventSource` sends no headers, so the query names the user. */
export class StreamApi {
  readonly #query: string;

  constructor(userId: string) {
    this.#query = `?dunlin-user=${encodeURIComponent(userId)}`;
  }

  get streamAddress(): string {
    return `${BASE}/stream${this.#query}`;
  }

  /** Sends a poke to all streams of this user. Resolves with the server's answer. */
  async poke(): Promise<unknown> {
    return (await fetch(`${BASE}/poke-user${this.#query}`, { method: 'POST' })).json();
  }

  /** Resolves with undefined when the server refuses. */
  async stats(): Promise<StreamStats | undefined> {
    const reply = await fetch(`${BASE}/stats${this.#query}`);
    return reply.ok ? ((await reply.json()) as StreamStats) : undefined;
  }
}
