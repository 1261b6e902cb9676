/** A follower that heard nothing for so long asks the leader, which answers at once even when it is hidden. */
export const BEAT_MS = 5000;
/** Unanswered questions after which the leader is taken to be asleep. */
export const MISSED_BEATS = 3;
/** A follower speaks up at least so often, so that the leader keeps what it wants. */
export const PRESENCE_BEATS = 12;
/** The same as a time: beats of hidden tabs may come once a minute. */
export const PRESENCE_MS = PRESENCE_BEATS * BEAT_MS;
/** A tab that was not heard of for so long is gone. Browsers let hidden tabs speak once a minute. */
export const TAB_GONE_MS = 180_000;
/** How long a leader waits, when another speaks as the leader, for the election to say who leads. */
export const OUTDO_MS = 20;
