export { keepChangedFields } from './conflicts.js';
export type { Checkpoint } from './line.js';
export { replicate, Replication, type ReplicateOptions } from './replicate.js';
export type { RefusedDocument, SyncName, SyncState } from './state.js';
