import { problemOf } from '@dunlin/client';
import { useEffect, useState } from 'react';
import { csvHeader, csvRow } from '../state/csv';
import { loadAll, type Progress } from '../state/transfer';
import { problemWords } from '../state/words';
import { useContextValue, useWarranty } from './context';
import { Dialog } from './Dialog';
import { download } from './download';
import { toCsv } from './exportCsv';

/** Loads the cases that the search and the filters select, and saves them as a CSV file. */
export default function ExportDialog({ onClose }: { readonly onClose: () => void }) {
  const { store, state } = useContextValue();
  const code = useWarranty(({ branches, branchId }) => branches.find(({ id }) => id === branchId)?.code);
  const [progress, setProgress] = useState<Progress>({ done: 0, total: 0 });
  const [failure, setFailure] = useState<string | undefined>();
  const [saved, setSaved] = useState<number | undefined>();
  useEffect(() => {
    const end = new AbortController();
    const { branchId, query } = state.getState();
    loadAll(store.api, branchId, query, end.signal, setProgress).then(
      (records) => {
        if (end.signal.aborted) return;
        const day = new Date().toISOString().slice(0, 10);
        download(`warranty-${code ?? branchId}-${day}.csv`, toCsv([csvHeader, ...records.map(csvRow)]));
        setSaved(records.length);
      },
      (error: unknown) => end.signal.aborted || setFailure(problemWords(problemOf(error))),
    );
    return () => end.abort();
  }, [store, state]);
  return (
    <Dialog title="Export as CSV" onClose={onClose}>
      <p className="muted">All cases that the search and the filters select, with all fields.</p>
      {failure === undefined ? (
        <>
          <progress value={progress.done} max={Math.max(1, progress.total)} aria-label="Export" />
          <p role="status">
            {saved === undefined
              ? `Loading ${progress.done} of ${progress.total} …`
              : `${saved} ${saved === 1 ? 'case is' : 'cases are'} in the file.`}
          </p>
        </>
      ) : (
        <p className="form-failure" role="alert">
          The export ended: {failure}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {saved === undefined && failure === undefined ? 'Cancel' : 'Close'}
        </button>
      </div>
    </Dialog>
  );
}
