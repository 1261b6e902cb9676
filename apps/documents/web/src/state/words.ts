import type { LeaseLostReason, Problem } from '@dunlin/client';

/** The position at which the server found a text to be malformed XML. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

export interface Notice {
  readonly text: string;
  readonly kind?: 'info' | 'error' | undefined;
  /** A text that the user could not reach otherwise. */
  readonly copy?: string | undefined;
  readonly action?: { readonly label: string; run(): void | Promise<void> } | undefined;
}

export const WORDS = {
  locked: 'This document is being edited by another user',
  editable: 'You can now edit this document',
  deleted: 'The document you were viewing was deleted by another user',
  deletedHere: 'The document you were viewing was deleted in another tab',
  gone: 'The document you were viewing is no longer there',
  savedMeanwhile: 'Not saved: another user saved meanwhile. Look at the text, then save again.',
  notSent: 'The server does not have all your edits yet',
  together: { text: 'You edit this document together with others now' },
  apart: { text: 'The shared draft of this document has ended' },
  restored: 'Your unsaved changes are back',
} as const;

export const LOST: Readonly<Record<LeaseLostReason, string>> = {
  expired: 'Your lock on this document expired',
  taken: 'Your lock on this document was taken over',
  handedOff: 'Your lock on this document was handed over',
  released: 'Your lock on this document was ended',
  unknown: 'Your lock on this document was lost',
};

/** Returns the position in the server's problem. Undefined for other problems. */
export function faultOf(problem: Problem): Fault | undefined {
  const { line, column, reason } = problem.detail ?? {};
  if (problem.code !== 'malformed_xml' && problem.code !== 'unsafe_xml') return undefined;
  return typeof line === 'number' && typeof column === 'number'
    ? { line, column, reason: typeof reason === 'string' ? reason : problem.title }
    : undefined;
}

/** Returns the text for a failure. Undefined if another part of the page reports it, or if it needs no report. */
export function problemWords(problem: Problem, what: string): string | undefined {
  if (problem.kind === 'aborted' || problem.kind === 'signedOut') return undefined;
  if (problem.kind === 'network') return `${what}: the server cannot be reached`;
  const fault = faultOf(problem);
  if (fault) return `${what}: line ${fault.line}, column ${fault.column}: ${fault.reason}`;
  const { detail } = problem.detail ?? {};
  return `${what}: ${typeof detail === 'string' ? detail : problem.title}`;
}
