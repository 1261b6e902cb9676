import { browserEnvironment } from './browser.js';
import { OwnConnection, type Connection } from './connection/connection.js';
import type { WireFormat } from './connection/decode.js';
import type { EventMap } from './connection/receiver.js';
import { deviceId } from './device.js';
import type { Environment } from './environment.js';
import { Auth, type AuthOptions } from './http/auth.js';
import { Requests } from './http/requests.js';
import { engineLeases } from './leases/engineTransport.js';
import { Leases } from './leases/leases.js';
import type { LeaseTransport } from './leases/transport.js';
import { Presence } from './presence/presence.js';
import type { StoreOptions } from './store/options.js';
import { Store } from './store/store.js';
import { StreamTransport } from './streams/transport.js';
import { SharedConnection } from './tabs/sharedConnection.js';

export interface ClientOptions extends AuthOptions {
  /** Origin (and path prefix) of the server; default: the page's own. */
  readonly base?: string | undefined;
  readonly environment?: Environment | undefined;
  /**
   * Id of the signed-in user. With it, the tabs of one browser share their streams, and one HTTP response carries them all. Without
   * it, or without BroadcastChannel, each connection has a response of its own, and a tab that is hidden for ten seconds closes it
   * until it is shown again, unless it holds a lease or waits for one.
   */
  readonly user?: string | undefined;
  /** False: tabs still share streams of one address, but each address has a response of its own. */
  readonly combine?: boolean | undefined;
}

/** A stream of the engine, by its topics, or one of the application, by its path. */
export type StreamAddress =
  | {
      /** Names, or patterns: `*` stands for any one segment, `**` at the end for one or more. */
      readonly topics: readonly string[];
      /** Whether the user is shown to others as present on the topics. */
      readonly present?: boolean | undefined;
      /**
       * Whether a stream that was away, or reads too slowly, is sent of each topic and type the last event only: for states, of
       * which the newest says everything.
       */
      readonly conflated?: boolean | undefined;
    }
  | {
      /** Path (with query) under `base`. */
      readonly path: string;
      readonly format?: WireFormat | undefined;
    };

export type StreamOptions = StreamAddress & {
  /** Signs of life of a stream that sends no hello; default 15. */
  readonly heartbeatSeconds?: number | undefined;
  /** False: a stream of this tab alone. */
  readonly share?: boolean | undefined;
};

/** At most this many topics fit into one stream; the server's limit. */
export const MAX_TOPICS = 64;

/** One signed-in user's way to one server; requests, streams, leases and stores made from it belong together. */
export class Client {
  readonly environment: Environment;
  readonly deviceId: string;
  readonly requests: Requests;
  readonly #base: string;
  readonly #auth: Auth;
  readonly #user: string | undefined;
  /** Absent where tabs cannot talk to each other. */
  readonly #transport: StreamTransport | undefined;
  // Whatever is disposed of leaves: an application may open and dispose of as many as it has pages.
  readonly #connections = new Set<Connection>();
  readonly #leases = new Set<Leases>();
  readonly #stores = new Set<{ resume(): void }>();

  constructor(options: ClientOptions = {}) {
    this.environment = options.environment ?? browserEnvironment();
    this.deviceId = deviceId(this.environment, options.user);
    this.#base = (options.base ?? '').replace(/\/$/, '');
    this.#auth = new Auth(options);
    this.#user = options.user;
    if (options.user !== undefined && options.combine !== false && this.environment.openBroadcast) {
      this.#transport = new StreamTransport({
        environment: this.environment,
        auth: this.#auth,
        base: this.#base,
        deviceId: this.deviceId,
        name: `dunlin ${this.#base} ${options.user} streams`,
      });
    }
    this.requests = new Requests({
      environment: this.environment,
      auth: this.#auth,
      base: this.#base,
      deviceId: this.deviceId,
      connectionId: () => [...this.#connections].find((connection) => connection.isConnected())?.connectionId,
      onSignedOut: () => this.signOut(),
    });
  }

  /** A connection that is not open yet: register handlers, then `connect()`. */
  connection<Events extends EventMap = EventMap>(options: StreamOptions): Connection<Events> {
    const { environment, deviceId } = this;
    const awaitsHello = 'topics' in options;
    const { heartbeatSeconds } = options;
    const onDispose = () => void this.#connections.delete(connection);
    const common = {
      environment,
      auth: this.#auth,
      deviceId,
      heartbeatSeconds,
      awaitsHello,
      onDispose,
      fetch: this.#transport?.fetch,
    };
    const topics = 'topics' in options ? options.topics : [];
    const format = 'topics' in options ? 'named' : options.format;
    const url = (wanted: readonly string[]) =>
      this.#base + ('topics' in options ? this.#enginePath(wanted, options) : options.path);
    const canShare = this.#user !== undefined && environment.openBroadcast !== undefined;
    let connection: Connection<Events>;
    if (canShare && options.share !== false) {
      const key =
        'topics' in options
          ? ['events', options.present && 'present', options.conflated && 'conflated']
              .filter(Boolean)
              .join(' ')
          : `${format} ${options.path}`;
      const name = `dunlin ${this.#base} ${this.#user} ${key}`;
      connection = new SharedConnection<Events>({
        ...common,
        name,
        topics,
        format,
        url,
        maxTopics: MAX_TOPICS,
      });
    } else {
      const mayLetGo = () => ![...this.#leases].some((leases) => leases.isInUse);
      connection = new OwnConnection<Events>({
        ...common,
        format,
        url: url(topics),
        mayLetGo: canShare ? undefined : mayLetGo,
      });
    }
    this.#connections.add(connection);
    connection.onState((state, previous) => {
      if (state.name === 'live' && previous.name !== 'live') this.#reconnected();
    });
    return connection;
  }

  /** Leases of the engine, or of the application through a transport of its own. */
  leases(transport: LeaseTransport = engineLeases(this.requests)): Leases {
    const leases = new Leases(transport, this.environment, () => void this.#leases.delete(leases));
    this.#leases.add(leases);
    return leases;
  }

  store<T extends object>(options: Omit<StoreOptions<T>, 'environment' | 'onDispose'>): Store<T> {
    const { environment } = this;
    const store = new Store<T>({ ...options, environment, onDispose: () => void this.#stores.delete(store) });
    this.#stores.add(store);
    return store;
  }

  presence(connection: Connection, topic: string): Presence {
    return new Presence(this.requests, connection, topic);
  }

  /** Publishes one event to a topic of the engine. */
  async publish(
    topic: string,
    type: string,
    data: unknown,
    options: { transient?: boolean | undefined; idempotencyKey?: string | undefined } = {},
  ): Promise<{ positions: string[] }> {
    const body = { topic, type, data, ...options };
    return (await this.requests.send<{ positions: string[] }>('POST', '/dunlin/v1/events', { body })).body;
  }

  /** The session ended: every connection stops, in the browser's other tabs too. Does not talk to the server. */
  signOut(): void {
    for (const connection of this.#connections) connection.signOut();
  }

  dispose(): void {
    for (const connection of this.#connections) connection.dispose();
    this.#transport?.dispose();
    for (const leases of this.#leases) leases.dispose();
    this.#stores.clear();
  }

  // The server releases the leases of a connection that went away, after a grace: renewing them names the new one.
  #reconnected(): void {
    for (const leases of this.#leases) leases.check();
    for (const store of this.#stores) store.resume();
  }

  #enginePath(
    topics: readonly string[],
    { present, conflated }: { present?: boolean | undefined; conflated?: boolean | undefined },
  ): string {
    const query = [...topics.map((topic) => `topic=${encodeURIComponent(topic)}`), `device=${this.deviceId}`];
    if (present) query.push('presence=true');
    if (conflated) query.push('conflate=true');
    return `/dunlin/v1/events?${query.join('&')}`;
  }
}
