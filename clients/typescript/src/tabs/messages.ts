import type { Reset } from '../connection/control.js';
import type { FeedFrame } from '../connection/feed.js';
import type { ConnectionState, SignedOutReason } from '../connection/state.js';
import type { Problem } from '../http/problem.js';

/** From any tab. `behind`: where it stands, when it misses something that the leader is past. */
export interface HereMessage {
  readonly kind: 'here';
  readonly tab: string;
  readonly topics: readonly string[];
  readonly behind?: string | undefined;
}

export type LeaderNews =
  | { readonly kind: 'frame'; readonly frame: FeedFrame }
  /** The position moved without an event. */
  | {
      readonly kind: 'position';
      readonly position?: string | undefined;
      readonly previous?: string | undefined;
    }
  | { readonly kind: 'reset'; readonly reset: Reset }
  | {
      readonly kind: 'state';
      readonly state: ConnectionState;
      readonly position: string | undefined;
      /** What the stream of the leader carries. */
      readonly topics: readonly string[];
    }
  /** A topic that the user may not read; the tabs that asked for it stop. */
  | { readonly kind: 'refused'; readonly topic: string; readonly problem: Problem }
  /** No room for the topics of this tab: it opens a stream of its own. */
  | { readonly kind: 'full'; readonly tab: string };

/**
 * From the leader. The term grows with every change of leadership, so that a leader which slept through its own
 * removal is not believed when it wakes.
 */
export interface LeaderMessage {
  readonly kind: 'leader';
  readonly term: number;
  readonly leader: string;
  readonly news: LeaderNews;
}

export type TabMessage =
  | HereMessage
  | { readonly kind: 'bye'; readonly tab: string }
  /** A tab became visible. */
  | { readonly kind: 'wake' }
  | { readonly kind: 'signOut'; readonly reason: SignedOutReason }
  | LeaderMessage;
