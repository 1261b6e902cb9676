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

export type Verdict =
  /** The next one: hand it over. */
  | 'take'
  /** Seen before. */
  | 'drop'
  /** Something between was missed: have it sent again. */
  | 'gap'
  /** What was missed cannot be told: start anew. */
  | 'lost';

/**
 * The place up to which one tab has handed events to its handlers. Every frame of the shared stream names the
 * position before it, so the frames form a chain; a tab takes a frame only where its own place is on that link.
 * That makes every event arrive once and in order, whoever leads, and however often a leader resumes or rewinds.
 */
export class Cursor {
  position: string | undefined;

  judge({ position, previous }: Step): Verdict {
    const own = this.position;
    // Transient events have no place of their own.
    if (position === previous || own === undefined || position === undefined) return 'take';
    const distance = comparePositions(position, own);
    if (distance !== undefined && distance <= 0) return 'drop';
    if (previous === own) return 'take';
    if (distance === undefined) return 'lost';
    const before = previous === undefined ? undefined : comparePositions(previous, own);
    return before !== undefined && before <= 0 ? 'take' : 'gap';
  }

  /** What a leader that stands at `position` means for this tab. */
  compare(position: string | undefined): 'level' | 'behind' | 'lost' {
    const own = this.position;
    if (own === undefined) return 'level';
    if (position === undefined) return 'behind';
    const distance = comparePositions(position, own);
    if (distance === undefined) return 'lost';
    return distance > 0 ? 'behind' : 'level';
  }
}
