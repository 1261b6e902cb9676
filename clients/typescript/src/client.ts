import { browserEnvironment } from './browser.js';
import { OwnConnection, type Connection } from './connection/connection.js';
import type { WireFormat } from './connection/decode.js';
import type { EventMap } from './connection/receiver.js';
import { deviceId } from './device.js';
import type { Cancel, Environment } from './environment.js';
import { Auth, type AuthOptions } from './http/auth.js';
import { publish } from './http/publish.js';
import { Requests } from './http/requests.js';
import { engineLeases } from './leases/engineTransport.js';
import { Leases } from './leases/leases.js';
import type { LeaseTransport } from './leases/transport.js';
import { Presence } from './presence/presence.js';
import type { StoreOptions } from './store/options.js';
import { Store } from './store/store.js';
import { withForm } from './connection/openFeed.js';
import { StreamTransport } from './streams/transport.js';
import { TransportChooser } from './streams/transportChooser.js';
import { TRANSPORTS, type TransportName } from './streams/transportState.js';
import { SharedConnection } from './tabs/sharedConnection.js';

export interface ClientOptions extends AuthOptions {
  /** Origin and optional path prefix of the server. Default: the origin of the page. */
  readonly base?: string | undefined;
  readonly environment?: Environment | undefined;
  /**
   * Id of the signed-in user. With it, the tabs of one browser share their streams, and one HTTP response carries all of them. Without it,
   * or without BroadcastChannel, each connection has its own response. Such a connection closes after the tab was hidden for ten seconds
   * and opens again when the tab is shown. It stays open while the client holds a lease or waits for one.
   */
  readonly user?: string | undefined;
  /** `false`: tabs share the stream of an address, but each address has its own response. Default: `true`. */
  readonly combine?: boolean | undefined;
  /**
   * The transports that streams may use. Default: all. The client begins with server-sent events, changes to a WebSocket if no bytes arrive
   * within four seconds, and to long polls if that fails too.
   */
  readonly transports?: readonly TransportName[] | undefined;
}

/** A stream of the engine, named by its topics, or a stream of the application, named by its path. */
export type StreamAddress =
  | {
      /** Topic names or patterns. `*` matches one segment; `**` at the end matches one or more. */
      readonly topics: readonly string[];
      /** Whether the user is listed as present on the topics. Default: `false`. */
      readonly present?: boolean | undefined;
      /**
       * Whether the server may send only the last event of each topic and type, after a reconnect and to a slow reader. Use it for events
       * that carry a complete state.
       */
      readonly conflated?: boolean | undefined;
    }
  | {
      /** Path and query under `base`. */
      readonly path: string;
      readonly format?: WireFormat | undefined;
    };

export type StreamOptions = StreamAddress & {
  /** Heartbeat interval in seconds, for streams without a hello; default 15. */
  readonly heartbeatSeconds?: number | undefined;
  /** `false`: this tab opens its own stream. Default: `true`. */
  readonly share?: boolean | undefined;
};

/** Maximum number of topics in one stream, the server's limit. */
export const MAX_TOPICS = 64;

/** The client of one signed-in user for one server. The requests, streams, leases and stores of one client share its session. */
export class Client {
  readonly environment: Environment;
  readonly deviceId: string;
  readonly requests: Requests;
  readonly #base: string;
  readonly #auth: Auth;
  readonly #user: string | undefined;
  /** Undefined without BroadcastChannel, without a user, or with `combine: false`. */
  readonly #transport: StreamTransport | undefined;
  readonly #chooser: TransportChooser;
  // Disposed objects are removed, because an application may create one for each page it shows.
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
    const fetch = (url: string, init: RequestInit) => this.environment.fetch(...withForm(url, init));
    this.#chooser = new TransportChooser({
      environment: this.environment,
      base: this.#base,
      sse: this.#transport?.fetch ?? fetch,
      fetch,
      allowed: options.transports ?? TRANSPORTS,
    });
    this.requests = new Requests({
      environment: this.environment,
      auth: this.#auth,
      base: this.#base,
      deviceId: this.deviceId,
      connectionId: () => [...this.#connections].find((connection) => connection.isConnected())?.connectionId,
      onSignedOut: () => this.signOut(),
    });
  }

  /** The transport over which streams are opened in this network. */
  get transport(): TransportName {
    return this.#chooser.transport;
  }

  /** Adds a listener for changes of `transport`. */
  onTransport(listener: (transport: TransportName) => void): Cancel {
    return this.#chooser.onChange(listener);
  }

  /** Creates a connection that is not open yet: register handlers, then call `connect()`. */
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
      fetch: (target: string, init: RequestInit) => this.#chooser.fetch(target, init, heartbeatSeconds),
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

  /** Creates a lease manager for the engine, or for the application's endpoints when given a transport. */
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

  /**
   * Publishes one event to a topic of the engine. A publish without a known outcome is repeated with the same idempotency key. A transient
   * event is never repeated.
   */
  publish(
    topic: string,
    type: string,
    data: unknown,
    options: { transient?: boolean | undefined; idempotencyKey?: string | undefined } = {},
  ): Promise<{ positions: string[] }> {
    return publish(this.requests, this.environment, { topic, type, data, ...options });
  }

  /** Ends the session locally: stops every connection, in the browser's other tabs too. Sends no request to the server. */
  signOut(): void {
    for (const connection of this.#connections) connection.signOut();
  }

  dispose(): void {
    for (const connection of this.#connections) connection.dispose();
    this.#transport?.dispose();
    this.#chooser.dispose();
    for (const leases of this.#leases) leases.dispose();
    this.#stores.clear();
  }

  // The server releases the leases of a lost connection after a grace period. A renewal attaches them to the new connection.
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
