import { problemOf } from '@dunlin/client';
import { useEffect, useState } from 'react';
import type { Case, HistoryEntry } from '../api/cases';
import { fieldOf, labelOf, shownValue } from '../api/fields';
import { problemWords } from '../state/words';
import { useBranchStore, useWarranty } from './context';
import { Dialog } from './Dialog';

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Displays previous values of the fields, newest first. */
export function HistoryPanel({ record, onClose }: { readonly record: Case; readonly onClose: () => void }) {
  const store = useBranchStore();
  const version = useWarranty((state) => state.records.get(String(record.id))?.version);
  const [entries, setEntries] = useState<readonly HistoryEntry[] | undefined>();
  const [failure, setFailure] = useState<string | undefined>();
  useEffect(() => {
    let isCurrent = true;
    store.api.history(record.id).then(
      (found) => isCurrent && setEntries(found),
      (error: unknown) => isCurrent && setFailure(problemWords(problemOf(error))),
    );
    return () => {
      isCurrent = false;
    };
  }, [store, record.id, version]);
  return (
    <Dialog title={`History of ${record.serviceNo}`} className="side-panel" onClose={onClose}>
      {failure !== undefined && <p className="form-failure">The history could not be loaded: {failure}</p>}
      {entries?.length === 0 && <p className="muted">Nothing has been changed since the case was created.</p>}
      <ol className="history">
        {entries?.map((entry) => (
          <li key={`${entry.version} ${entry.field}`}>
            <div className="history-head">
              <strong>{labelOf(entry.field)}</strong>
              <span className="muted">
                {entry.userName}, {time.format(entry.changedAt)}
              </span>
            </div>
            <div className="history-values">
              <del>{shown(entry, entry.oldValue)}</del>
              <ins>{shown(entry, entry.newValue)}</ins>
            </div>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

function shown({ field }: HistoryEntry, value: string): string {
  return shownValue(fieldOf(field)?.kind ?? 'text', value) || 'empty';
}
