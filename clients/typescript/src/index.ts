export { browserEnvironment } from './browser.js';
export { Client, MAX_TOPICS, type ClientOptions, type StreamAddress, type StreamOptions } from './client.js';
export { BACKOFF_MS, backoffMs } from './connection/backoff.js';
export {
  OwnConnection,
  type Connection,
  type ConnectionOptions,
  type StateListener,
} from './connection/connection.js';
export type { Hello, Reset } from './connection/control.js';
export type { Envelope, EnvelopeOf, ReceivedEvent, WireFormat } from './connection/decode.js';
export { EVERY_EVENT, type EventMap, type Handler } from './connection/receiver.js';
export type { ConnectionState, ConnectionStateName, SignedOutReason } from './connection/state.js';
export { englishStatusWords, statusWord, type StatusWords } from './connection/words.js';
export { deviceId } from './device.js';
export type {
  Broadcast,
  Cancel,
  Environment,
  KeyValueStorage,
  LockRequest,
  Locks,
  PageSignal,
  PageSignalDetail,
  Socket,
  SocketHandlers,
} from './environment.js';
export { Auth, type AuthOptions } from './http/auth.js';
export {
  DunlinError,
  isTemporary,
  problemOf,
  type LeaseLostReason,
  type Problem,
  type ProblemKind,
} from './http/problem.js';
export { readProblem } from './http/readProblem.js';
export { Requests, type Answer, type RequestOptions, type RequestsOptions } from './http/requests.js';
export { engineLeases, putLease } from './leases/engineTransport.js';
export { Lease, LeaseLost } from './leases/lease.js';
export { Leases, type AcquireOptions, type PreemptOptions, type TryAcquireResult } from './leases/leases.js';
export type {
  AcquireAnswer,
  AcquireRequest,
  HeldLease,
  LeaseGrant,
  LeaseHolder,
  LeaseOwner,
  LeaseTransport,
  PreemptRequest,
} from './leases/transport.js';
export { Presence, type PresentMember } from './presence/presence.js';
export type { TransportName } from './streams/transportState.js';
export { StreamParser, type StreamFrame, type StreamParserHandlers } from './sse/parser.js';
export type {
  MergeOptions,
  Refusal,
  SaveAnswer,
  StoreOptions,
  StoreState,
  UnsavedPersistence,
} from './store/options.js';
export type { SaveContext, SaveOutcome } from './store/saver.js';
export { Store } from './store/store.js';
export { SharedConnection, type SharedConnectionOptions } from './tabs/sharedConnection.js';
