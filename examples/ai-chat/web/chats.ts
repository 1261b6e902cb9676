import { isTemporary, problemOf, type Client, type Problem } from '@dunlin/client';

export type TurnState = 'writing' | 'done' | 'stopped' | 'failed';

export interface Turn {
  readonly chat: string;
  readonly id: string;
  readonly number: number;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly state: TurnState;
  readonly error: string | null;
  readonly version: number;
}

interface Tokens {
  readonly chat: string;
  readonly id: string;
  readonly text: string;
  readonly version: number;
}

type StateChange = Pick<Turn, 'chat' | 'id' | 'state' | 'error' | 'version'>;

/** A question that the server has not confirmed. It outlives a reload of the tab. */
export interface Unsent {
  readonly chat: string;
  readonly id: string;
  readonly text: string;
}

export interface ChatTitle {
  readonly chat: string;
  readonly title: string;
}

const UNSENT = 'ai-chat unsent';
const pathOf = (chat: string) => `/api/chats/${encodeURIComponent(chat)}`;
const keyOf = ({ chat, id }: { chat: string; id: string }) => `${chat}/${id}`;

/** The conversations of one user, kept up to date by one stream. */
export class Chats {
  readonly connection;
  readonly #client: Client;
  readonly #turns = new Map<string, Turn>();
  readonly #loads = new Map<string, { isStale: boolean }>();
  #titles: readonly ChatTitle[] = [];
  #unsent: Unsent | undefined;
  #isSending = false;

  constructor(
    client: Client,
    user: string,
    private readonly onChange: () => void,
    private readonly onRefused: (problem: Problem, text: string) => void,
  ) {
    this.#client = client;
    this.#unsent = JSON.parse(sessionStorage.getItem(UNSENT) ?? 'null') as Unsent | undefined;
    // <ai-events>
    // One stream for all conversations of the user. All tabs of the browser share it.
    this.connection = client.connection({ topics: [`chats/${user}/*`] });
    this.connection.on('turn.added', (turn: Turn) => this.#put(turn));
    this.connection.on('answer.tokens', (tokens: Tokens) =>
      this.#change(tokens, (turn) => turn.text + tokens.text),
    );
    this.connection.on('answer.state', (change: StateChange) => this.#change(change));
    // </ai-events>
    this.connection.onReset(() => this.#forget());
    this.connection.onState(({ name }) => name === 'live' && void this.#deliver());
  }

  get titles(): readonly ChatTitle[] {
    return this.#titles;
  }

  get unsent(): Unsent | undefined {
    return this.#unsent;
  }

  turnsOf(chat: string): Turn[] {
    const turns = [...this.#turns.values()].filter((turn) => turn.chat === chat);
    return turns.sort((one, other) => one.number - other.number);
  }

  async loadTitles(): Promise<void> {
    const { body } = await this.#client.requests.send<ChatTitle[]>('GET', '/api/chats');
    const isNew = ({ chat }: ChatTitle) => !body.some((title) => title.chat === chat);
    this.#titles = [...this.#titles.filter(isNew), ...body];
    this.onChange();
  }

  // <ai-load>
  /** Loads a conversation. Call it when the stream is live: what happens during the request arrives as events. */
  async load(chat: string): Promise<void> {
    const running = this.#loads.get(chat);
    if (running) return void (running.isStale = true); // repeat it, because its answer may be too old
    const load = { isStale: false };
    this.#loads.set(chat, load);
    try {
      do {
        load.isStale = false;
        const answer = await this.#client.requests.send<Turn[]>('GET', pathOf(chat));
        for (const turn of answer.body) this.#put(turn);
      } while (load.isStale);
    } finally {
      this.#loads.delete(chat);
    }
  }

  #put(turn: Turn): void {
    const known = this.#turns.get(keyOf(turn));
    if (known && known.version >= turn.version) return; // an event was faster than the request
    this.#turns.set(keyOf(turn), turn);
    const { chat, role, text: title } = turn;
    if (role === 'user' && !this.#titles.some((known) => known.chat === chat))
      this.#titles = [{ chat, title }, ...this.#titles];
    this.onChange();
  }

  #change(change: (Partial<Turn> & Tokens) | StateChange, textOf?: (turn: Turn) => string): void {
    const turn = this.#turns.get(keyOf(change));
    if (!turn) return void this.load(change.chat).catch(() => {}); // the next event or reload repeats it
    if (change.version <= turn.version) return; // the request was faster than the event
    this.#turns.set(keyOf(turn), { ...turn, ...change, text: textOf?.(turn) ?? turn.text });
    this.onChange();
  }
  // </ai-load>

  // <ai-send>
  /** Sends a question. It is repeated with the same id until the server has answered, also after a reload. */
  ask(chat: string, text: string): Promise<void> {
    this.#keep({ chat, id: this.#client.environment.randomId(), text });
    return this.#deliver();
  }

  async #deliver(): Promise<void> {
    const unsent = this.#unsent;
    if (!unsent || this.#isSending) return;
    this.#isSending = true;
    try {
      const path = `${pathOf(unsent.chat)}/turns/${unsent.id}`;
      const answer = await this.#client.requests.send<{ question: Turn; answer: Turn }>('PUT', path, {
        body: { text: unsent.text },
      });
      this.#keep(undefined);
      this.#put(answer.body.question);
      this.#put(answer.body.answer);
    } catch (error) {
      const problem = problemOf(error);
      if (isTemporary(problem))
        return void this.#client.environment.setTimer(2_000, () => void this.#deliver());
      this.#keep(undefined);
      this.onRefused(problem, unsent.text);
    } finally {
      this.#isSending = false;
    }
  }
  // </ai-send>

  async stop(turn: Turn): Promise<void> {
    await this.#client.requests.send('POST', `${pathOf(turn.chat)}/turns/${turn.id}/stop`);
  }

  async retry(turn: Turn): Promise<void> {
    await this.#client.requests.send('POST', `${pathOf(turn.chat)}/turns/${turn.id}/retry`);
  }

  #keep(unsent: Unsent | undefined): void {
    this.#unsent = unsent;
    if (unsent) sessionStorage.setItem(UNSENT, JSON.stringify(unsent));
    else sessionStorage.removeItem(UNSENT);
    this.onChange();
  }

  // Events are missing, so no text may be continued.
  #forget(): void {
    const chats = new Set([...this.#turns.values()].map((turn) => turn.chat));
    this.#turns.clear();
    for (const chat of chats) void this.load(chat).catch(() => {});
  }
}
