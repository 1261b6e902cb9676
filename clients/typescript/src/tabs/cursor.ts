/**
 * Which of two positions (`epoch-offset`) comes first: negative, zero or positive; undefined when they cannot be
 * compared, because they are of two epochs or not of this form.
 */
export function comparePositions(one: string, other: string): number | undefined {
  if (one === other) return 0;
  const [first, second] = [parse(one), parse(other)];
  if (!first || !second || first.epoch !== second.epoch) return undefined;
  return first.offset - second.offset;
}

function parse(position: string): { epoch: string; offset: number } | undefined {
  const match = /^(.*)-([0-9]+)$/.exec(position);
  return match ? { epoch: match[1]!, offset: Number(match[2]) } : undefined;
}

export interface Step {
  readonly position?: string | undefined;
  readonly previous?: string | undefined;
}

export type Decision =
  /** The next event: deliver it. */
  | 'take'
  /** Delivered before. */
  | 'drop'
  /** Events in between are missing: ask for a replay. */
  | 'gap'
  /** The missing events cannot be determined: start anew. */
  | 'lost';

/**
 * Decides about one frame of the shared stream for a tab at the position `own`. Every frame names the position before it,
 * so the frames form a chain; a tab takes a frame only where its own position is on that link. So every event arrives once
 * and in order, whoever leads, and however often a leader resumes or rewinds.
 */
export function judgeStep(own: string | undefined, { position, previous }: Step): Decision {
  // Transient events have no position of their own.
  if (position === previous || own === undefined || position === undefined) return 'take';
  const distance = comparePositions(position, own);
  if (distance !== undefined && distance <= 0) return 'drop';
  if (previous === own) return 'take';
  if (distance === undefined) return 'lost';
  const before = previous === undefined ? undefined : comparePositions(previous, own);
  return before !== undefined && before <= 0 ? 'take' : 'gap';
}

/** Compares a tab at the position `own` with a leader at `position`. */
export function comparePlace(
  own: string | undefined,
  position: string | undefined,
): 'level' | 'behind' | 'lost' {
  if (own === undefined) return 'level';
  if (position === undefined) return 'behind';
  const distance = comparePositions(position, own);
  if (distance === undefined) return 'lost';
  return distance > 0 ? 'behind' : 'level';
}
