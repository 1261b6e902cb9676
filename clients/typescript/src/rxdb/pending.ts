import type { RxStorageInstanceReplicationState } from 'rxdb';
import { getAssumedMasterState, getChangedDocumentsSince, writeDocToDocState } from 'rxdb/plugins/core';

type State = RxStorageInstanceReplicationState<any>;

const PAGE = 200;

/**
 * Returns the ids of documents that differ from the assumed master state: the replication will push them. Reads the storage as the
 * replication does, so changes of earlier visits count. The cost grows with the changes since the last push.
 */
export async function findPending(state: State): Promise<Set<string>> {
  const differing = new Set<string>();
  let checkpoint: any = (state.lastCheckpointDoc as any)?.up?.checkpointData;
  for (;;) {
    const page = await getChangedDocumentsSince<any, any>(state.input.forkInstance, PAGE, checkpoint);
    if (page.documents.length === 0) return differing;
    checkpoint = page.checkpoint;
    for (const [id, isSame] of await compare(state, page.documents)) {
      if (isSame) differing.delete(id);
      else differing.add(id);
    }
    if (page.documents.length < PAGE) return differing;
  }
}

/** Returns the assumed master state of those documents that equal it: they have nothing to push. */
export async function findConfirmed(state: State, ids: readonly string[]): Promise<Map<string, any>> {
  const documents = await state.input.forkInstance.findDocumentsById([...ids], true);
  const known = await getAssumedMasterState(state, [...ids]);
  const same = await compare(state, documents);
  return new Map(ids.filter((id) => same.get(id)).map((id) => [id, known[id]!.docData]));
}

/** Returns the ids of pulled states that RxDB has not applied. */
export async function findLeftOut(state: State, told: readonly any[]): Promise<string[]> {
  const ids = told.map((document) => document[state.primaryPath] as string);
  const known = await getAssumedMasterState(state, ids);
  return ids.filter((id, i) => {
    const document = known[id]?.docData;
    return !document || !state.input.conflictHandler.isEqual(document, told[i], 'dunlin-left-out');
  });
}

async function compare(state: State, documents: readonly any[]): Promise<Map<string, boolean>> {
  const { input, hasAttachments, primaryPath } = state;
  const known = await getAssumedMasterState(
    state,
    documents.map((document) => document[primaryPath]),
  );
  return new Map(
    documents.map((document) => {
      const assumed = known[document[primaryPath]];
      const isSame =
        assumed !== undefined &&
        assumed.metaDocument.isResolvedConflict !== document._rev &&
        input.conflictHandler.isEqual(
          assumed.docData,
          writeDocToDocState(document, hasAttachments, !!input.keepMeta),
          'dunlin-pending',
        );
      return [document[primaryPath] as string, isSame];
    }),
  );
}
