/** One text while a user edits it: as it was when the edit began, as the user typed it, and as it is now. */
export interface Edit {
  readonly base: string;
  readonly typed: string;
  readonly current: string;
}

/**
 * What the end of an edit does: `nothing` leaves the current text, `save` stores what was typed, `conflict` stores it too, but another user
 * has changed the text meanwhile, so that the page must offer the other text.
 */
export type EditOutcome = 'nothing' | 'save' | 'conflict';

export function outcomeOf({ base, typed, current }: Edit): EditOutcome {
  const mine = oneLine(typed);
  if (mine === '' || mine === base || mine === current) return 'nothing';
  return current === base ? 'save' : 'conflict';
}

/** Returns the text as it is stored: one line, without blanks around it. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim();
}
