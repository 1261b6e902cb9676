import { expect, test } from 'vitest';
import type { Case } from '../src/api/cases';
import { checkRows, csvHeader, csvRow, guessMapping } from '../src/state/csv';
import { toCsv } from '../src/ui/exportCsv';
import { readCsv } from '../src/ui/readCsv';
import { FakeBranch } from './fakeBranch';

const record = (values: Partial<Case>) =>
  new FakeBranch().add({ id: 1, createdAt: Date.UTC(2026, 0, 31), ...values });
const fileOf = (text: string) => new File([text], 'cases.csv');

test.each(['=1+1', '+44 20 7946', '-1', '@SUM(A1)', '\t=1', '\r=1'])(
  'An exported cell that a spreadsheet would run is a text: %j',
  (customerName) => {
    const [, line] = toCsv([csvHeader, csvRow(record({ customerName }))]).split('\r\n');
    expect(line).toContain(`'${customerName}`);
    expect(line).not.toContain(`,${customerName}`);
    expect(line).not.toContain(`,"${customerName}`);
  },
);

test('An import restores the quotes, lines and formulas of an export', async () => {
  const values = {
    status: 'WAITING_FOR',
    customerName: 'Anna "A" Ö',
    customerContact: '+44 20 7946',
    issues: 'line one\nline two, =2',
    cost: '12.50',
    purchaseDate: '2026-01-31',
  };
  const file = await readCsv(fileOf(`\ufeff${toCsv([csvHeader, csvRow(record(values))])}`));
  const [row] = checkRows(file.rows, guessMapping(file.header));
  expect(row).toEqual({ row: 2, values, errors: [] });
});

test('Columns are found by label and by wire name, others are not imported', () => {
  expect(guessMapping(['Customer Name', 'customerEmail', 'Colour', 'STATUS', 'e-mail'])).toEqual({
    customerName: 0,
    customerEmail: 1,
    status: 3,
  });
});

test('A check reports each wrong value with its row and its field', () => {
  const mapping = { customerName: 0, customerEmail: 1, status: 2, purchaseDate: 3, cost: 4 };
  const checked = checkRows(
    [
      ['Ann', 'ann@example.org', 'completed', '2026-02-28', '1.234,5'],
      ['Ben', 'ben@', 'lost', '2026-02-30', '1,234'],
      ['x'.repeat(101), '', '', '', ''],
      ['', ' ', '', '', ''],
      ['short'],
    ],
    mapping,
  );
  expect(checked.map(({ row, errors }) => [row, errors.length])).toEqual([
    [2, 0],
    [3, 4],
    [4, 1],
    [5, 1],
    [6, 0],
  ]);
  expect(checked[0]!.values).toMatchObject({ status: 'COMPLETED', cost: '1234.50' });
  expect(checked[1]!.errors).toEqual([
    'Status: “lost” is no status',
    'E-mail: “ben@” is no e-mail address',
    'Cost: “1,234” is no amount',
    'Purchased: “2026-02-30” is no day like 2026-01-31',
  ]);
});

test.each([
  ['', 'The file has no row below its header.'],
  ['Customer name\r\n', 'The file has no row below its header.'],
  ['Customer name\r\n"Ann\r\n', 'Row 2 has a quotation mark that does not end.'],
])('The file %j is refused with a reason', async (text, reason) => {
  await expect(readCsv(fileOf(text))).rejects.toThrow(reason);
});

test('A file with semicolons is read', async () => {
  const file = await readCsv(fileOf('Customer name;Cost\r\nAnn;12,50\r\n'));
  expect(file).toEqual({ header: ['Customer name', 'Cost'], rows: [['Ann', '12,50']] });
});
