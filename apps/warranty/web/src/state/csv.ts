import type { Case, CaseUpdates } from '../api/cases';
import { fields, isUnfinished, statuses, wireValue, type FieldName } from '../api/fields';

/** Columns of an exported file. Those before the fields are not imported: the server sets them. */
export const csvHeader: readonly string[] = ['Service no.', 'Created', ...fields.map(({ label }) => label)];

/** Returns the row of a case in an exported file. */
export function csvRow(record: Case): readonly string[] {
  const created = new Date(record.createdAt).toISOString().slice(0, 10);
  return [record.serviceNo, created, ...fields.map(({ name }) => exported(name, record[name]))];
}

function exported(name: FieldName, value: string): string {
  return name === 'status' ? (statuses[value as keyof typeof statuses] ?? value) : value;
}

/** The column of the file for each field; undefined for a field that is not imported. */
export type Mapping = Readonly<Partial<Record<FieldName, number>>>;

/** Matches columns to fields by the labels and the wire names of the fields. */
export function guessMapping(header: readonly string[]): Mapping {
  const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const columns = header.map(plain);
  const found = fields.map(({ name, label }) => {
    const at = columns.findIndex((column) => column === plain(label) || column === plain(name));
    return [name, at < 0 ? undefined : at] as const;
  });
  return Object.fromEntries(found.filter(([, at]) => at !== undefined));
}

export interface CheckedRow {
  /** Line of the file as a person counts rows: the header is row 1. */
  readonly row: number;
  readonly values: CaseUpdates;
  /** Why the row cannot be imported. */
  readonly errors: readonly string[];
}

/** Checks the rows of a file, without the header, by the rules of the server. Writes nothing. */
export function checkRows(rows: readonly (readonly string[])[], mapping: Mapping): readonly CheckedRow[] {
  return rows.map((cells, index) => {
    const values: CaseUpdates = {};
    const errors: string[] = [];
    for (const { name, label, kind, maxLength } of fields) {
      const column = mapping[name];
      if (column === undefined) continue;
      const typed = plainCell(cells[column] ?? '').trim();
      if (typed === '') continue;
      const value = name === 'status' ? statusOf(typed) : wireValue(kind, typed);
      if (value === undefined) errors.push(`${label}: “${typed}” is no status`);
      else if (kind === 'date' && !isDay(value))
        errors.push(`${label}: “${typed}” is no day like 2026-01-31`);
      else if (isUnfinished(kind, value)) errors.push(`${label}: “${typed}” is no ${noun[kind] ?? 'value'}`);
      else if (value.length > maxLength) errors.push(`${label}: more than ${maxLength} characters`);
      else values[name] = value;
    }
    if (errors.length === 0 && Object.keys(values).length === 0)
      errors.push('No value in the chosen columns');
    return { row: index + 2, values, errors };
  });
}

const noun: Readonly<Record<string, string>> = { email: 'e-mail address', money: 'amount' };

// An export marks a cell that a spreadsheet would run as a formula with an apostrophe.
function plainCell(cell: string): string {
  return /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}

function statusOf(typed: string): string | undefined {
  const plain = typed.toLowerCase();
  return Object.entries(statuses).find(
    ([name, label]) => name.toLowerCase() === plain || label.toLowerCase() === plain,
  )?.[0];
}

function isDay(value: string): boolean {
  const at = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === value;
}
