import { problemOf, type Problem } from '@dunlin/client';
import type { Case, CaseApi, CaseUpdates, Query } from '../api/cases';
import type { CheckedRow } from './csv';
import { problemWords } from './words';

/** Cases in one request of an export: the maximum of the server. */
const EXPORT_PAGE = 100;
/** Attempts for one row while the server is busy. */
const MAX_ATTEMPTS = 5;
const RETRY_MS = 1000;

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** Loads all cases of a query, also those that no window shows. Rejects when the signal aborts. */
export async function loadAll(
  api: CaseApi,
  branchId: number,
  query: Query,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<readonly Case[]> {
  // A case that moves to a later page during the export is loaded twice.
  const found = new Map<number, Case>();
  for (let page = 1, total = Infinity; (page - 1) * EXPORT_PAGE < total; page++) {
    const loaded = await api.page(branchId, { ...query, page }, signal, EXPORT_PAGE);
    signal.throwIfAborted();
    for (const item of loaded.items) found.set(item.id, item);
    total = loaded.total;
    onProgress({ done: Math.min(found.size, total), total });
  }
  return [...found.values()];
}

export interface RowFailure {
  readonly row: number;
  readonly text: string;
}

export interface ImportResult {
  readonly created: number;
  readonly failures: readonly RowFailure[];
  /** Rows after the end, which were not tried. */
  readonly left: number;
  readonly end: 'complete' | 'cancelled' | 'stopped';
}

export interface ImportOptions {
  readonly create: (values: CaseUpdates) => Promise<unknown>;
  /** Ends the import after the row that is being sent, so that the outcome of each row is known. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress, failures: readonly RowFailure[]) => void;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** Creates one case for each row, in order. A refused row does not stop the others. */
export async function importRows(
  rows: readonly CheckedRow[],
  { create, signal, onProgress, wait }: ImportOptions,
): Promise<ImportResult> {
  const failures: RowFailure[] = [];
  let created = 0;
  for (const [index, { row, values }] of rows.entries()) {
    const left = rows.length - index;
    if (signal.aborted) return { created, failures, left, end: 'cancelled' };
    const problem = await attempt(() => create(values), signal, wait);
    if (problem) failures.push({ row, text: failureWords(problem) });
    else created++;
    onProgress({ done: index + 1, total: rows.length }, [...failures]);
    if (problem && isEnd(problem)) return { created, failures, left: left - 1, end: 'stopped' };
  }
  return { created, failures, left: 0, end: 'complete' };
}

async function attempt(
  create: () => Promise<unknown>,
  signal: AbortSignal,
  wait: (milliseconds: number) => Promise<void>,
): Promise<Problem | undefined> {
  for (let count = 1; ; count++) {
    try {
      await create();
      return undefined;
    } catch (error) {
      const problem = problemOf(error);
      // A busy server did not create the case. Without an answer it may have, so this row is not sent again.
      if (problem.kind !== 'busy' || problem.status === 500 || count === MAX_ATTEMPTS || signal.aborted)
        return problem;
      await wait(problem.retryAfterMs ?? RETRY_MS);
      if (signal.aborted) return problem;
    }
  }
}

// The next rows would fail for the same reason.
function isEnd({ kind, code }: Problem): boolean {
  return kind === 'network' || kind === 'signedOut' || kind === 'forbidden' || code === 'limit_reached';
}

function failureWords(problem: Problem): string {
  if (problem.kind === 'network' || problem.kind === 'outcomeUnknown')
    return 'no answer of the server. Look whether the case exists before you import this row again.';
  return problemWords(problem);
}
