import type { Reset } from '../connection/control.js';
import type { FeedFrame } from '../connection/feed.js';
import type { ConnectionState, SignedOutReason } from '../connection/state.js';
import type { Problem } from '../http/problem.js';

/** From any tab. `behind`: the position of the tab, when it misses events that the leader has already received. */
export interface HereMessage {
  readonly kind: 'here';
  readonly tab: string;
  readonly topics: readonly string[];
  /** The term that the tab knows. A leader must exceed it, because the tab ignores lower terms. */
  readonly term?: number | undefined;
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
      /** The topics that the leader's stream carries. */
      readonly topics: readonly string[];
    }
  /** A topic that the user may not read. The tabs that asked for it stop. */
  | { readonly kind: 'refused'; readonly topic: string; readonly problem: Problem }
  /** The leader's stream has no room for the topics of this tab, which opens its own stream. */
  | { readonly kind: 'full'; readonly tab: string };

/**
 * From the leader. Every new leader has a higher term. Tabs ignore lower terms, so a deposed leader that wakes from sleep has no effect.
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
