import type { Lease } from '@dunlin/client';
import type { Draft } from './drafts';
import type { Fault } from './words';

/** The editor as the workspace needs it. */
export interface TextPane {
  readonly text: string;
  setText(text: string): void;
  setEditable(editable: boolean): void;
  showFault(fault: Fault | undefined): void;
  clear(): void;
}

/**
 * ```
 *   loading --> editing    this tab has the lock
 *           --> locked     another session has it; races when it falls free
 *           --> otherTab   another tab of this browser edits; goes on when that is closed
 *           --> reading    no right to write
 *   locked  --> queued     waits politely --> editing
 *   editing --> lost       the lock ended with changes unsaved: they are a draft now
 *   locked, otherTab, queued --> editing, after the text has been read anew
 * ```
 */
export type Mode = 'loading' | 'editing' | 'locked' | 'queued' | 'otherTab' | 'reading' | 'lost';

export interface OpenFile {
  readonly id: string;
  readonly mode: Mode;
  readonly isDirty: boolean;
  readonly isSaving: boolean;
  /** A text typed earlier, from another revision than the one shown. */
  readonly draft: Draft | undefined;
}

/** The open file as the workspace keeps it. */
export interface Opened {
  readonly id: string;
  readonly abort: AbortController;
  mode: Mode;
  etag: string;
  lease: Lease | undefined;
  isDirty: boolean;
  isSaving: boolean;
  draft: Draft | undefined;
  isRacing: boolean;
  raceAgain: boolean;
  leaveQueue: AbortController | undefined;
}

export function openedFile(id: string): Opened {
  return {
    id,
    abort: new AbortController(),
    mode: 'loading',
    etag: '',
    lease: undefined,
    isDirty: false,
    isSaving: false,
    draft: undefined,
    isRacing: false,
    raceAgain: false,
    leaveQueue: undefined,
  };
}

/** Whether the text is shown to one who reads: what others save is shown at once. */
export function isReading(mode: Mode): boolean {
  return mode === 'locked' || mode === 'reading' || mode === 'otherTab' || mode === 'queued';
}
