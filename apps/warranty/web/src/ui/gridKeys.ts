/** A cell of the grid. Row -1 is the header. */
export interface Position {
  readonly row: number;
  readonly column: number;
}

export interface GridSize {
  readonly rows: number;
  readonly columns: number;
  /** Rows that fit into the window, for Page Up and Page Down. */
  readonly shownRows: number;
}

export interface GridKey {
  readonly key: string;
  readonly ctrlKey: boolean;
}

/** Returns the cell to which a key moves, after the ARIA grid pattern; undefined if the key moves nothing. */
export function moved(
  { row, column }: Position,
  { key, ctrlKey }: GridKey,
  size: GridSize,
): Position | undefined {
  const last = size.columns - 1;
  const to = (toRow: number, toColumn: number): Position => ({
    row: Math.min(Math.max(toRow, -1), size.rows - 1),
    column: Math.min(Math.max(toColumn, 0), last),
  });
  const page = Math.max(1, size.shownRows - 1);
  switch (key) {
    case 'ArrowLeft':
      return ctrlKey ? to(row, 0) : to(row, column - 1);
    case 'ArrowRight':
      return ctrlKey ? to(row, last) : to(row, column + 1);
    case 'ArrowUp':
      return ctrlKey ? to(Math.min(row, 0), column) : to(row - 1, column);
    case 'ArrowDown':
      return ctrlKey ? to(size.rows - 1, column) : to(row + 1, column);
    case 'Home':
      return ctrlKey ? to(0, 0) : to(row, 0);
    case 'End':
      return ctrlKey ? to(size.rows - 1, last) : to(row, last);
    case 'PageUp':
      return to(Math.max(row - page, Math.min(row, 0)), column);
    case 'PageDown':
      return to(row + page, column);
    default:
      return undefined;
  }
}

/** Returns the cell after or before a field, across the ends of rows; undefined at the ends of the grid. Column 0 has no field. */
export function beside({ row, column }: Position, step: 1 | -1, size: GridSize): Position | undefined {
  if (step === 1 && column + 1 < size.columns) return { row, column: column + 1 };
  if (step === -1 && column > 1) return { row, column: column - 1 };
  const next = row + step;
  if (next < 0 || next >= size.rows) return undefined;
  return { row: next, column: step === 1 ? 1 : size.columns - 1 };
}

/** Whether a key types a character, which begins an edit with it. */
export function isTyping(event: {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}): boolean {
  return (
    [...event.key].length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey
  );
}
