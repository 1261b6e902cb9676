/**
 * Compares two positions (`epoch-offset`): negative, zero or positive. Returns undefined when they have different epochs or another form.
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
  /** Already delivered. */
  | 'drop'
  /** Events in between are missing: request a replay. */
  | 'gap'
  /** The missing events cannot be determined: reset. */
  | 'lost';

/**
 * Decides about one frame of the shared stream for a tab at the position `own`. Every frame names the position before it, so the frames
 * form a chain. A tab accepts a frame only if its own position equals that previous position. So every event arrives once and in order,
 * whichever tab leads, and however often a leader resumes or rewinds.
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
