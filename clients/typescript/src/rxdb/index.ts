export { keepChangedFields } from './conflicts.js';
export type { Checkpoint } from './collectionState.js';
export { replicate, Replication, type ReplicateOptions } from './replicate.js';
export type { RefusedDocument, SyncName, SyncState } from './state.js';
