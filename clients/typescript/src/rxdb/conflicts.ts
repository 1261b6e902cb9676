import type { RxConflictHandler, WithDeleted } from 'rxdb';
import { deepEqual, defaultConflictHandler } from 'rxdb/plugins/core';

/**
 * Creates a `conflictHandler` for a collection. Fields that were changed locally are kept; all others take the server's value. A deletion
 * on either side wins. A change that the server refused without a conflict is dropped, so that it is not sent for ever.
 */
export function keepChangedFields<Document>(): RxConflictHandler<Document> {
  return {
    isEqual: defaultConflictHandler.isEqual,
    resolve: async ({ assumedMasterState: assumed, newDocumentState: mine, realMasterState: theirs }) => {
      if (theirs._deleted) return theirs;
      // The server still has the assumed state, so there was no concurrent change: the server refused the write.
      if (assumed && deepEqual(assumed, theirs)) return theirs;
      // The document was deleted locally, and the assumed state was not deleted. The assumed state is missing when the answer to the first
      // push was lost.
      if (mine._deleted) return assumed?._deleted ? theirs : { ...theirs, _deleted: true };
      // Without an assumed state the local changes cannot be determined.
      if (!assumed) return theirs;
      const result = { ...theirs } as Record<string, unknown>;
      const fields = (document: WithDeleted<Document>) => document as Record<string, unknown>;
      for (const name of new Set([...Object.keys(assumed), ...Object.keys(mine)])) {
        if (deepEqual(fields(assumed)[name], fields(mine)[name])) continue;
        if (fields(mine)[name] === undefined) delete result[name];
        else result[name] = fields(mine)[name];
      }
      return result as WithDeleted<Document>;
    },
  };
}
