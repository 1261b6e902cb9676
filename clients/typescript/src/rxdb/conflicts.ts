import type { RxConflictHandler, WithDeleted } from 'rxdb';
import { deepEqual, defaultConflictHandler } from 'rxdb/plugins/core';

/**
 * A conflict handler for `conflictHandler` of a collection: what was changed here is kept field by field, everything else
 * is the server's. A deletion on either side wins. A change that the server refused, rather than one that met another, is
 * given up, so that it is not sent again for ever.
 */
export function keepChangedFields<Document>(): RxConflictHandler<Document> {
  return {
    isEqual: defaultConflictHandler.isEqual,
    resolve: async ({ assumedMasterState: assumed, newDocumentState: mine, realMasterState: theirs }) => {
      if (theirs._deleted) return theirs;
      // Where the server has what it was assumed to have, nobody else has changed anything: it refused.
      if (assumed && deepEqual(assumed, theirs)) return theirs;
      // Deleted here, and not merely believed to be so already. Also where nothing was assumed: made here, sent, changed by
      // another before the answer came, which was lost.
      if (mine._deleted) return assumed?._deleted ? theirs : { ...theirs, _deleted: true };
      // Without an assumption there is nothing to say what was changed here.
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
