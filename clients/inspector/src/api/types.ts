/** The figures of one node. Rates are per second. */
export interface NodeSample {
  readonly node: string;
  readonly name: string;
  readonly version: string;
  readonly startedAt: string;
  readonly at: string;
  readonly connections: number;
  readonly behind: number;
  readonly delivered: number;
  readonly caughtUp: number;
  readonly overflowed: number;
  readonly resets: number;
  readonly events: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** Milliseconds from a commit until the live streams got its events: the longest. */
  readonly deliveryLag?: number;
  readonly queue: number;
  readonly offset: number;
  readonly head: number;
  readonly kept: number;
  /** Bytes. Absent where the store cannot measure itself. */
  readonly storedBytes?: number;
  readonly cpu: number;
  readonly memory: number;
  readonly isDraining: boolean;
}

export interface ClusterSample {
  readonly at: string;
  readonly nodes: readonly NodeSample[];
  readonly silent: readonly string[];
}

export interface TopicRow {
  readonly topic: string;
  readonly isPattern: boolean;
  readonly readers: number;
  readonly rate: number;
  readonly bytes: number;
  readonly lastAt?: string;
  readonly lastType?: string;
}

export interface TopicList {
  readonly topics: readonly TopicRow[];
  readonly total: number;
  readonly unmeasured: number;
  readonly silent: readonly string[];
}

export interface ConnectionRow {
  readonly id: string;
  readonly node: string;
  readonly userId: string;
  readonly name: string;
  readonly sessionId?: string;
  readonly device?: string;
  readonly address?: string;
  readonly openedAt: string;
  readonly state: string;
  readonly offset: number;
  readonly pendingBytes: number;
  readonly topics: readonly string[];
  readonly topicCount: number;
  readonly closedAt?: string;
  readonly reason?: string;
}

export interface ConnectionList {
  readonly connections: readonly ConnectionRow[];
  readonly matching: number;
  readonly total: number;
  readonly head: number;
  readonly silent: readonly string[];
}

export interface LifeEntry {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
  readonly id?: string;
}

export interface ConnectionDetail {
  readonly connection: ConnectionRow;
  readonly openedTopics: readonly string[];
  readonly roles: readonly string[];
  readonly expiresAt?: string;
  readonly conflates: boolean;
  readonly isPresent: boolean;
  readonly head: number;
  readonly life: readonly LifeEntry[];
}

export interface JournalRow {
  readonly offset: number;
  readonly position: string;
  readonly topic: string;
  readonly type: string;
  readonly time: string;
  readonly userId?: string;
  readonly device?: string;
  readonly connectionId?: string;
  readonly size: number;
  /** Absent where the server hides payloads. */
  readonly data?: string;
  readonly isCut: boolean;
  /** Further topics. */
  readonly alsoOn?: readonly string[];
  /** Absent for JSON. */
  readonly format?: 'text' | 'base64';
  readonly isRestricted: boolean;
  /** The id that another protocol gave the event. */
  readonly foreignId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JournalPage {
  readonly events: readonly JournalRow[];
  readonly before?: number;
  readonly after: number;
  readonly head: number;
}

export interface LeaseUser {
  readonly userId: string;
  readonly name: string;
  readonly device?: string;
  readonly connectionId?: string;
}

export interface LeaseRow {
  readonly resource: string;
  readonly fence: number;
  readonly owner?: LeaseUser;
  readonly acquiredAt: string;
  readonly expiresAt: string;
  readonly seconds: number;
  readonly isEnding: boolean;
  readonly waiters: readonly LeaseUser[];
}

export interface LeaseList {
  readonly leases: readonly LeaseRow[];
  readonly next?: string;
  readonly serverNow: string;
}

export interface LeaseChange {
  readonly at: string;
  readonly kind: string;
  readonly resource: string;
  readonly fence: number;
  readonly userId: string;
  readonly name: string;
  readonly node: string;
  readonly end?: string;
  readonly reason?: string;
}

export interface LeaseHistory {
  readonly changes: readonly LeaseChange[];
  readonly silent: readonly string[];
}

export interface JobCounts {
  readonly type: string;
  readonly waiting: number;
  readonly running: number;
  readonly done: number;
  readonly dead: number;
  readonly hasMore: boolean;
}

export interface JobRow {
  readonly type: string;
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly enqueuedAt: string;
  readonly dueAt: string;
  readonly finishedAt?: string;
  readonly error?: string;
  readonly fairnessKey?: string;
  readonly concurrencyKey?: string;
  readonly value: unknown;
  readonly progress?: unknown;
}

export interface JobList {
  readonly types: readonly JobCounts[];
  readonly jobs: readonly JobRow[];
}

export interface Refusal {
  readonly kind: 'unauthorized' | 'forbidden' | 'origin';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly node: string;
  readonly method: string;
  readonly path: string;
  readonly address?: string;
  readonly userId?: string;
  readonly topic?: string;
  readonly origin?: string;
  readonly credential?: string;
  readonly reason?: string;
  readonly traceId: string;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly count: number;
  readonly why: string;
  readonly remedy: string;
}

export interface RefusalList {
  readonly refusals: readonly Refusal[];
  readonly silent: readonly string[];
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly patterns: readonly string[];
  readonly types: readonly string[];
  readonly description: string | null;
  readonly state: 'active' | 'paused' | 'disabled';
  /** Why the server disabled it. */
  readonly reason: string | null;
  readonly owner: string;
  /** 0 for no limit. */
  readonly maxPerSecond: number;
  readonly maxConcurrent: number;
  readonly createdAt: string;
  readonly failingSince: string | null;
  readonly fault: string | null;
  readonly waiting: number;
  readonly dead: number;
  readonly position: string | null;
  /** Events after the cursor. */
  readonly lag: number;
  /** Only in the answer to `rotate`. */
  readonly secret?: string;
  readonly formerSecretUntil?: string;
}

export interface WebhookList {
  readonly webhooks: readonly Webhook[];
}

export interface WebhookDelivery {
  readonly message: string;
  readonly topic: string;
  readonly type: string;
  readonly state: 'waiting' | 'dead';
  readonly attempts: number;
  readonly fault: string | null;
  /** The next attempt, or since when the delivery is dead. */
  readonly at: string;
}

export interface WebhookDeliveryList {
  readonly deliveries: readonly WebhookDelivery[];
  readonly next: string | null;
}

export interface WebhookTest {
  readonly delivered: boolean;
  readonly status: number;
  readonly fault: string | null;
}

export interface Mode {
  readonly accounts: boolean;
  /** Path of the engine's own endpoints. */
  readonly engine: string;
  /** Whether the server sends webhooks. */
  readonly webhooks: boolean;
}
