/** Answers of the documents server. See the contract in `apps/documents/README.md`. */

export interface Collection {
  readonly id: string;
  readonly name: string;
}

export interface LockHolder {
  readonly user_id: string;
  readonly name: string;
  /** Whether this session holds the lock. */
  readonly mine: boolean;
  readonly since: string;
  readonly expires_at: string;
  readonly waiting: number;
  /** Names of the users in the queue, first in, first out. */
  readonly queue: readonly string[];
}

export interface SharedDraft {
  readonly id: string;
  /** The topic of the Yjs document. */
  readonly topic: string;
  /** The line break of the stored text. The shared text has line feeds in place of `crlf`. */
  readonly line_break: 'lf' | 'crlf';
  readonly started_by: string;
  readonly started_at: string;
}

/** The user's permissions on a file, apart from its lock. */
export interface FileRights {
  readonly write: boolean;
  readonly new_version: boolean;
  readonly promote: boolean;
  readonly delete: boolean;
}

export interface FileInfo {
  readonly stable_id: string;
  readonly variant: string;
  readonly version: number;
  readonly label: string;
  readonly is_gold: boolean;
  readonly owner: string;
  readonly changed_by: string;
  readonly created_at: string;
  readonly changed_at: string;
  readonly etag: string;
  readonly size: number;
  readonly locked_by: LockHolder | null;
  /** The draft that users edit together. A file with one has no lock. */
  readonly shared_draft?: SharedDraft | null;
  readonly can: FileRights;
}

/** A version in the history of a document and variant. */
export interface VersionInfo {
  readonly stable_id: string;
  readonly version: number;
  readonly label: string;
  readonly is_gold: boolean;
  readonly owner: string;
  readonly changed_by: string;
  readonly created_at: string;
  readonly changed_at: string;
  readonly deleted_at: string | null;
  readonly deleted_by: string | null;
  /** Whether the user may take back the deletion. */
  readonly can_restore: boolean;
}

export interface DocumentInfo {
  readonly doc_id: string;
  readonly collection: string;
  readonly title: string;
  readonly pdf: FileInfo | null;
  readonly files: readonly FileInfo[];
}

export interface Maintenance {
  readonly on: boolean;
  readonly message: string;
}

export interface FileList {
  readonly collections: readonly Collection[];
  readonly documents: readonly DocumentInfo[];
  readonly variants: readonly string[];
  readonly maintenance: Maintenance;
  readonly position: string;
  readonly server_now: string;
}

export interface TextMatch {
  /** One-based. The column counts UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  readonly before: string;
  readonly match: string;
  readonly after: string;
}

export interface TextHit {
  readonly file_id: string;
  readonly title: string;
  readonly version: number;
  readonly is_gold: boolean;
  /** Number of matching lines, of which `matches` are the first. */
  readonly lines: number;
  readonly matches: readonly TextMatch[];
}

export interface TextHits {
  readonly hits: readonly TextHit[];
  /** Whether more files match. */
  readonly is_cut: boolean;
}

export interface SaveAnswer {
  readonly status: 'saved' | 'new' | 'new_gold';
  readonly file_id: string;
  readonly version: number;
  readonly etag: string;
  readonly changed: boolean;
}

export interface LockGrant {
  readonly status: 'locked' | 'queued';
  readonly file_id: string;
  /** The fencing token, sent with every save. */
  readonly lease: number | null;
  readonly seconds: number;
  readonly expires_at: string;
  readonly server_now: string;
  readonly locked_by: LockHolder | null;
  readonly position: number | null;
  /** False when the session already had the lock. */
  readonly is_new: boolean;
}

export interface LockList {
  readonly locks: readonly { readonly file_id: string; readonly locked_by: LockHolder }[];
  readonly server_now: string;
}

export interface SessionInfo {
  readonly session_id: string;
  readonly username: string;
  readonly full_name: string;
  readonly created_at: string;
  readonly description: string;
  readonly connections: number;
  readonly is_mine: boolean;
}

export interface SessionList {
  readonly sessions: readonly SessionInfo[];
  /** Number of servers that did not answer, so that their open pages are not counted. Undefined when all answered. */
  readonly silent_nodes?: number | undefined;
}

/** The events of `GET /api/v1/sse/subscribe` and their data. */
export interface DocumentEvents {
  [type: string]: unknown;
  connected: string;
  fileDataChanged: {
    readonly reason: string;
    readonly stable_id?: string;
    readonly stable_ids?: readonly string[];
    readonly locked_by?: string;
  };
  lockReleased: { readonly stable_id: string };
  notification: { readonly message: string; readonly variant: string };
  forceLogout: { readonly message: string };
  maintenanceChanged: Maintenance;
}
