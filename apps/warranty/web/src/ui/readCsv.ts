import Papa from 'papaparse';

export interface CsvFile {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** 10,000 cases with long texts. Reading keeps the whole file in memory. */
const MAX_BYTES = 20 * 1024 * 1024;

/** Reads a CSV file. The separator is detected. Rejects with a text for users. */
export async function readCsv(file: File): Promise<CsvFile> {
  if (file.size > MAX_BYTES) throw new Error('The file is larger than 20 MB. Split it.');
  const text = (await file.text()).replace(/^\ufeff/, '');
  const { data, errors } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy' });
  const broken = errors.find(({ type }) => type === 'Quotes');
  if (broken) throw new Error(`Row ${(broken.row ?? 0) + 1} has a quotation mark that does not end.`);
  const [header, ...rows] = data;
  if (!header || rows.length === 0) throw new Error('The file has no row below its header.');
  return { header, rows };
}
