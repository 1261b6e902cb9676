import { useEffect, useMemo, useRef, useState } from 'react';
import { fields, type FieldName } from '../api/fields';
import { checkRows, guessMapping, type CheckedRow, type Mapping } from '../state/csv';
import { importRows, type ImportResult, type Progress, type RowFailure } from '../state/transfer';
import { useContextValue } from './context';
import { Dialog } from './Dialog';
import { readCsv, type CsvFile } from './readCsv';

const MAX_LISTED = 200;

/** Imports cases from a CSV file: choose the file, match its columns, check all rows, then create the cases. */
export default function ImportDialog({ onClose }: { readonly onClose: () => void }) {
  const [file, setFile] = useState<CsvFile | undefined>();
  const [checked, setChecked] = useState<readonly CheckedRow[] | undefined>();
  return (
    <Dialog title="Import cases" className="import" onClose={onClose}>
      {!file ? (
        <Choose onFile={setFile} onClose={onClose} />
      ) : !checked ? (
        <Match file={file} onCheck={setChecked} onBack={() => setFile(undefined)} />
      ) : (
        <Run rows={checked} onBack={() => setChecked(undefined)} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface ChooseProps {
  readonly onFile: (file: CsvFile) => void;
  readonly onClose: () => void;
}

function Choose({ onFile, onClose }: ChooseProps) {
  const [failure, setFailure] = useState<string | undefined>();
  const read = (chosen: File | undefined) => {
    if (!chosen) return;
    readCsv(chosen).then(onFile, (error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <div className="form">
      <p className="muted">
        The first row of the file names the columns. An exported file fits as it is. Nothing is written before
        you have seen a check of all rows.
      </p>
      <label className="field">
        CSV file
        <input type="file" accept=".csv,text/csv" onChange={(event) => read(event.target.files?.[0])} />
      </label>
      {failure !== undefined && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </div>
  );
}

interface MatchProps {
  readonly file: CsvFile;
  readonly onCheck: (rows: readonly CheckedRow[]) => void;
  readonly onBack: () => void;
}

function Match({ file, onCheck, onBack }: MatchProps) {
  const [mapping, setMapping] = useState<Mapping>(() => guessMapping(file.header));
  const choose = (name: FieldName, column: string) =>
    setMapping(({ [name]: _former, ...others }) =>
      column === '' ? others : { ...others, [name]: Number(column) },
    );
  const example = (column: number | undefined) =>
    column === undefined ? '' : (file.rows.find((row) => row[column])?.[column] ?? '');
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        onCheck(checkRows(file.rows, mapping));
      }}
    >
      <p className="muted">
        {file.rows.length} rows. Choose the column of the file for each field of a case.
      </p>
      <div className="mapping">
        {fields.map(({ name, label }) => (
          <label key={name} className="field">
            {label}
            <select value={mapping[name] ?? ''} onChange={(event) => choose(name, event.target.value)}>
              <option value="">Not imported</option>
              {file.header.map((title, column) => (
                <option key={column} value={column}>
                  {title || `Column ${column + 1}`}
                </option>
              ))}
            </select>
            <small className="mapping-example">{example(mapping[name])}</small>
          </label>
        ))}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onBack}>
          Another file
        </button>
        <button type="submit" className="button button-primary" disabled={Object.keys(mapping).length === 0}>
          Check rows
        </button>
      </div>
    </form>
  );
}

interface RunProps {
  readonly rows: readonly CheckedRow[];
  readonly onBack: () => void;
  readonly onClose: () => void;
}

function Run({ rows, onBack, onClose }: RunProps) {
  const { store, state } = useContextValue();
  const valid = useMemo(() => rows.filter(({ errors }) => errors.length === 0), [rows]);
  const [progress, setProgress] = useState<Progress | undefined>();
  const [failures, setFailures] = useState<readonly RowFailure[]>([]);
  const [result, setResult] = useState<ImportResult | undefined>();
  const [isCancelled, setCancelled] = useState(false);
  const end = useRef(new AbortController());
  // The dialog closes, or the user signs out: no further row is sent.
  useEffect(() => {
    const controller = end.current;
    return () => controller.abort();
  }, []);
  const start = async () => {
    const { branchId } = state.getState();
    setProgress({ done: 0, total: valid.length });
    const outcome = await importRows(valid, {
      create: (values) => store.api.create(branchId, values),
      signal: end.current.signal,
      wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      onProgress: (done, failed) => {
        setProgress(done);
        setFailures(failed);
      },
    });
    setResult(outcome);
    if (outcome.end === 'complete') void store.loadStaff();
  };
  const found = rows
    .filter(({ errors }) => errors.length > 0)
    .map(({ row, errors }): RowFailure => ({ row, text: errors.join('; ') }));
  return (
    <div className="form">
      <p role="status" className="import-summary">
        {result
          ? summary(result)
          : progress
            ? `Creating ${progress.done} of ${progress.total} …`
            : `${valid.length} of ${rows.length} rows can be imported. Nothing is written yet.`}
      </p>
      {progress && <progress value={progress.done} max={Math.max(1, progress.total)} aria-label="Import" />}
      <Failures
        title={progress ? 'Rows that were not created' : 'Rows that will be left out'}
        rows={progress ? [...found, ...failures] : found}
      />
      <div className="dialog-actions">
        {!progress && (
          <>
            <button type="button" className="button" onClick={onBack}>
              Back
            </button>
            <button
              type="button"
              className="button button-primary"
              disabled={valid.length === 0}
              onClick={() => void start()}
            >
              Import {valid.length} {valid.length === 1 ? 'case' : 'cases'}
            </button>
          </>
        )}
        {progress && !result && (
          <button
            type="button"
            className="button"
            disabled={isCancelled}
            onClick={() => {
              setCancelled(true);
              end.current.abort();
            }}
          >
            Cancel
          </button>
        )}
        {result && (
          <button type="button" className="button button-primary" onClick={onClose}>
            Close
          </button>
        )}
      </div>
    </div>
  );
}

function summary({ created, left, end }: ImportResult): string {
  const cases = `${created} ${created === 1 ? 'case was' : 'cases were'} created.`;
  if (end === 'complete') return cases;
  const rest = `${left} ${left === 1 ? 'row was' : 'rows were'} not tried.`;
  return `${end === 'cancelled' ? 'Cancelled' : 'Stopped'}: ${cases} ${rest}`;
}

function Failures({ title, rows }: { readonly title: string; readonly rows: readonly RowFailure[] }) {
  if (rows.length === 0) return null;
  return (
    <section className="import-errors" aria-label={title}>
      <h3>
        {title}: {rows.length}
      </h3>
      <ul>
        {rows.slice(0, MAX_LISTED).map(({ row, text }) => (
          <li key={`${row} ${text}`}>
            <strong>Row {row}</strong> {text}
          </li>
        ))}
      </ul>
      {rows.length > MAX_LISTED && <p className="muted">And {rows.length - MAX_LISTED} more.</p>}
    </section>
  );
}
