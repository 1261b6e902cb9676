import Papa from 'papaparse';

/** Cells that a spreadsheet would run as a formula begin with an apostrophe. */
export function toCsv(rows: readonly (readonly string[])[]): string {
  return Papa.unparse(rows as string[][], { escapeFormulae: true, newline: '\r\n' });
}
