/** A column of a table. */
export interface Column<T> {
  readonly id: string;
  readonly label: string;
  /** Track of the grid, such as `2fr` or `90px`. */
  readonly width: string;
  readonly text: (row: T) => string;
  /** Colours the text: `good`, `warn`, `bad` or `muted`. */
  readonly tone?: (row: T) => string | undefined;
  readonly isNumber?: boolean;
  /** Whether a phone leaves the column out. */
  readonly isWide?: boolean;
}
