import {
  browserEnvironment,
  Client,
  isTemporary,
  problemOf,
  type ConnectionState,
  type Environment,
  type WireFormat,
} from '@dunlin/client';
import { FactApi, type Fact } from '../api/facts';

export interface TilesOptions {
  readonly user: string;
  readonly refresh: () => Promise<boolean>;
  readonly onSignedOut: () => void;
  readonly onConnection: (state: ConnectionState) => void;
  /** Called with the newest fact of a system, or undefined when the server refuses it. */
  readonly show: (system: string, fact: Fact | undefined) => void;
  readonly environment?: Environment | undefined;
}

const HEARTBEAT_SECONDS = 30;

/** The facts on the tiles of one user. Each is loaded again after an event of its system. */
export class Tiles {
  readonly #options: TilesOptions;
  readonly #client: Client;
  readonly #api: FactApi;
  readonly #reloads: (() => void)[] = [];
  readonly #stopSignal: () => void;
  #isOver = false;

  constructor(options: TilesOptions) {
    this.#options = options;
    const { user, refresh } = options;
    const environment = options.environment ?? browserEnvironment();
    this.#client = new Client({ user, refresh, environment });
    this.#api = new FactApi(this.#client.requests, `landing-${environment.randomId()}`);
    const { deviceId } = this.#client;
    this.#watch('documents', '/api/v1/sse/subscribe', 'named', () => this.#api.documents());
    this.#watch('todos', '/api/v1/replicache/stream', 'word', () => this.#api.todos());
    this.#watch('focus', `/api/sse?deviceId=${deviceId}`, 'envelope', () => this.#api.focus());
    this.#watch('wishlists', '/api/v1/events/stream', 'named', () => this.#api.wishlists());
    void this.#findBranch();
    // The documents stream leaves out events of the own session, such as those of another tab.
    // The documents stream leaves out events of the own session, such as those of another tab.
    this.#stopSignal = environment.onSignal('visible', () => {
      for (const reload of this.#reloads) reload();
    });
  }

  dispose(): void {
    this.#isOver = true;
    this.#stopSignal();
    this.#client.dispose();
  }

  async #findBranch(): Promise<void> {
    try {
      const [branch] = await this.#api.branches();
      if (this.#isOver) return;
      if (branch) {
        const path = `/api/sse/warranty-updates?branchId=${branch.id}`;
        this.#watch('warranty', path, 'typed', () => this.#api.warranty(branch));
      } else {
        this.#options.show('warranty', { text: 'You belong to no branch', address: null });
      }
    } catch {
      // The tile shows no fact. Its page shows the error.
    }
  }

  #watch(system: string, path: string, format: WireFormat, load: () => Promise<Fact>): void {
    let isRunning = false;
    let isOutdated = false;
    const reload = async () => {
      isOutdated = true;
      if (isRunning) return;
      isRunning = true;
      while (isOutdated && !this.#isOver) {
        isOutdated = false;
        try {
          const fact = await load();
          if (!this.#isOver) this.#options.show(system, fact);
        } catch (error) {
          if (!this.#isOver && !isTemporary(problemOf(error))) this.#options.show(system, undefined);
        }
      }
      isRunning = false;
    };
    const connection = this.#client.connection({ path, format, heartbeatSeconds: HEARTBEAT_SECONDS });
    connection.on('*', () => void reload());
    connection.onReset(() => void reload());
    connection.onState((state) => {
      if (system === 'todos') this.#options.onConnection(state);
      if (state.name === 'signedOut') this.#options.onSignedOut();
      // Events of the time without a connection may be lost.
      if (state.name === 'live') void reload();
    });
    connection.connect();
    this.#reloads.push(() => void reload());
    void reload();
  }
}
