import { problemOf } from '@dunlin/client';
import { useEffect, useState } from 'react';
import type { HistoryEntry } from '../api/cases';
import { fieldOf, labelOf, shownValue } from '../api/fields';
import { problemWords } from '../state/words';
import { useBranchStore, useWarranty } from './context';

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Displays previous values of the fields of a case, newest first. */
export function HistoryList({ id }: { readonly id: string }) {
  const store = useBranchStore();
  const version = useWarranty((state) => state.records.get(id)?.version);
  const [entries, setEntries] = useState<readonly HistoryEntry[] | undefined>();
  const [failure, setFailure] = useState<string | undefined>();
  useEffect(() => {
    let isCurrent = true;
    store.api.history(id).then(
      (found) => {
        if (!isCurrent) return;
        setEntries(found);
        setFailure(undefined);
      },
      (error: unknown) => isCurrent && setFailure(problemWords(problemOf(error))),
    );
    return () => {
      isCurrent = false;
    };
  }, [store, id, version]);
  return (
    <section className="record-history" aria-label="History">
      <h3>History</h3>
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
    </section>
  );
}

function shown({ field }: HistoryEntry, value: string): string {
  return shownValue(fieldOf(field)?.kind ?? 'text', value) || 'empty';
}
