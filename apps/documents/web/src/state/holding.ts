import { problemOf, type Lease } from '@dunlin/client';
import type { FileList } from '../api/types';
import type { Sharing } from './sharing';

/** The resources of an open file. Every opening creates a new object, so that late answers for an earlier one are detected. */
export interface Holding {
  readonly id: string;
  readonly abort: AbortController;
  lease: Lease | undefined;
  queue: AbortController | undefined;
  sharing: Sharing | undefined;
}

export function newHolding(id: string): Holding {
  return { id, abort: new AbortController(), lease: undefined, queue: undefined, sharing: undefined };
}

/** Returns what a list says about a file; undefined if the list does not contain it. */
export function listedFile(list: FileList, id: string) {
  const file = list.documents.flatMap(({ files }) => files).find(({ stable_id }) => stable_id === id);
  if (!file) return undefined;
  const isFree = !file.locked_by || file.locked_by.mine;
  return { etag: file.etag, isFree, canWrite: file.can.write, sharedDraft: file.shared_draft?.id };
}

/** Resolves with undefined if maintenance refused the lock. */
export function unlessMaintenance(error: unknown): undefined {
  if (problemOf(error).code !== 'maintenance') throw error;
}
