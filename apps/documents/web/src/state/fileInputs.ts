import type { LeaseLostReason, Problem } from '@dunlin/client';
import type { Draft } from './drafts';
import type { Mode } from './openFile';
import type { SharedState } from './sharing';
import type { Fault, Notice } from './words';

/** What happens to an open file. */
export type FileInput =
  /** The text was loaded. `lease`: whether the lock that was acquired before is still held. */
  | {
      readonly type: 'read';
      readonly mode: Mode;
      readonly lease: 'none' | 'held' | 'lost';
      readonly text: string;
      readonly etag: string;
      readonly draft: Draft | undefined;
      readonly sharedDraft?: string | undefined;
    }
  | { readonly type: 'sharedChanged'; readonly shared: SharedState }
  | { readonly type: 'edited' | 'save' | 'saveEnded' | 'useDraft' | 'settled' | 'draftDiscarded' }
  /** The user discards a restored draft, or has merged a draft into the text. */
  | { readonly type: 'restoredDiscarded' | 'draftMerged' }
  /** The user compares the text of a lost lock, which is `draft` now, with the stored text. */
  | { readonly type: 'reopen'; readonly draft: Draft }
  | { readonly type: 'maintenanceBegan' | 'maintenanceEnded' }
  /** The page starts a shared draft. */
  | { readonly type: 'share' | 'shareFailed' }
  /** `isSame`: the text did not change since it was sent. */
  | { readonly type: 'saved'; readonly etag: string; readonly isSame: boolean }
  | { readonly type: 'saveFailed'; readonly problem: Problem }
  | { readonly type: 'leaseLost'; readonly reason: LeaseLostReason }
  /** The lock may be free. */
  | { readonly type: 'race' }
  | { readonly type: 'raceLost' | 'raceEnded' }
  /** The lock was acquired, but the text could not be loaded. */
  | { readonly type: 'takeFailed'; readonly problem: Problem }
  /** The other tab of this browser was closed. */
  | { readonly type: 'otherTabClosed' }
  | { readonly type: 'queue' | 'leaveQueue' }
  | { readonly type: 'queueFailed'; readonly problem: Problem; readonly hasLeft: boolean }
  /** Another user saved. */
  | { readonly type: 'refresh' }
  | { readonly type: 'refreshed'; readonly text: string; readonly etag: string }
  /** The list was loaded. `file` is undefined if the list does not contain it. */
  | {
      readonly type: 'listed';
      readonly file:
        | {
            readonly etag: string;
            readonly isFree: boolean;
            readonly canWrite: boolean;
            readonly sharedDraft?: string | undefined;
          }
        | undefined;
    }
  | { readonly type: 'deleted'; readonly words: string };

/** What the workspace does after a transition. */
export type FileEffect =
  | { readonly type: 'setText'; readonly text: string }
  | { readonly type: 'setEditable'; readonly isEditable: boolean }
  | { readonly type: 'showFault'; readonly fault: Fault | undefined }
  /** Observe the acquired lock. */
  | { readonly type: 'holdLease' }
  | { readonly type: 'markLeaseLost'; readonly reason: LeaseLostReason }
  | { readonly type: 'releaseLease' }
  /** Write the draft now or after the typing delay, or remove it. */
  | { readonly type: 'keepDraft' | 'keepDraftLater' | 'forgetDraft' }
  | { readonly type: 'send' }
  | { readonly type: 'tryLock' }
  /** Race after the current task, unless the page unloads. */
  | { readonly type: 'raceLater' }
  | { readonly type: 'enterQueue' | 'leaveQueue' }
  /** Load the text for a reader, and race afterwards if `thenRace`. */
  | { readonly type: 'fetch'; readonly thenRace: boolean }
  | { readonly type: 'reloadList' }
  /** Take part in the shared draft, or compare it with another stored text. */
  | { readonly type: 'join' | 'compareShared'; readonly stored: string }
  /** Close the file and open it again. */
  | { readonly type: 'openAgain' }
  | { readonly type: 'notify'; readonly notice: Notice }
  /** Close the file. The toast offers `copy`, or the text of the pane. */
  | {
      readonly type: 'clear';
      readonly words: string;
      readonly copy: string | undefined;
      readonly copyPane: boolean;
    };
