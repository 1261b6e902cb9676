/** A follower that received nothing for this many milliseconds asks the leader, which answers at once even when it is hidden. */
export const BEAT_MS = 5000;
/** Number of unanswered requests after which the leader counts as asleep. */
export const MISSED_BEATS = 3;
/** A follower reports at least once in this many beats, so that the leader keeps its topics. */
export const PRESENCE_BEATS = 12;
/** The same in milliseconds, because beats of hidden tabs may run once a minute. */
export const PRESENCE_MS = PRESENCE_BEATS * BEAT_MS;
/** A tab without a message for this many milliseconds counts as closed. Browsers run timers of hidden tabs once a minute. */
export const TAB_GONE_MS = 180_000;
/** Milliseconds that a leader waits for the election when another tab acts as the leader. */
export const OUTDO_MS = 20;
