export type FieldName =
  | 'status'
  | 'customerName'
  | 'customerContact'
  | 'customerEmail'
  | 'address'
  | 'purchaseDate'
  | 'invoice'
  | 'receivedItems'
  | 'issues'
  | 'solutions'
  | 'remarks'
  | 'cost'
  | 'staff';

/** `status`, `staff` and `date` are chosen and saved at once; the others are typed and saved after the burst. */
export type FieldKind = 'status' | 'staff' | 'date' | 'line' | 'text' | 'email' | 'money';

export interface Field {
  readonly name: FieldName;
  readonly label: string;
  readonly kind: FieldKind;
  readonly maxLength: number;
  readonly isSortable: boolean;
  /** Shown on a phone before "All fields" is pressed. */
  readonly isMain: boolean;
}

const field = (
  name: FieldName,
  label: string,
  kind: FieldKind,
  maxLength: number,
  { isSortable = true, isMain = false } = {},
): Field => ({ name, label, kind, maxLength, isSortable, isMain });

/** In the order of the columns. */
export const fields: readonly Field[] = [
  field('status', 'Status', 'status', 20, { isMain: true }),
  field('customerName', 'Customer name', 'line', 100, { isMain: true }),
  field('customerContact', 'Contact', 'line', 40, { isMain: true }),
  field('customerEmail', 'E-mail', 'email', 254),
  field('receivedItems', 'Received items', 'text', 1000, { isSortable: false }),
  field('issues', 'Issues', 'text', 4000, { isSortable: false, isMain: true }),
  field('solutions', 'Solutions', 'text', 4000, { isSortable: false }),
  field('staff', 'Staff', 'staff', 80, { isMain: true }),
  field('cost', 'Cost', 'money', 12, { isMain: true }),
  field('purchaseDate', 'Purchased', 'date', 10),
  field('invoice', 'Invoice', 'line', 60),
  field('address', 'Address', 'text', 300),
  field('remarks', 'Remarks', 'text', 4000, { isSortable: false }),
];

const byName = new Map(fields.map((each) => [each.name, each]));

export function fieldOf(name: FieldName): Field {
  return byName.get(name)!;
}

/** The label of a field inside a sentence; names that later servers add are shown as they are. */
export function labelOf(name: string): string {
  return byName.get(name as FieldName)?.label ?? name;
}

export function isMenu(kind: FieldKind): boolean {
  return kind === 'status' || kind === 'staff' || kind === 'date';
}

export const statuses = {
  IN_QUEUE: 'In queue',
  IN_PROGRESS: 'In progress',
  WAITING_FOR: 'Waiting for',
  COMPLETED: 'Completed',
} as const;

export function statusLabel(value: string): string {
  return statuses[value as keyof typeof statuses] ?? value;
}

/** A value as it is read, not edited. */
export function shownValue(kind: FieldKind, value: string): string {
  return kind === 'status' ? statusLabel(value) : value;
}

/**
 * Whether a value may be on its way to a right one only because it is not finished, such as `ann@`. Such a value is not
 * saved while it is typed; when the field is left it is, and the server says what is wrong with it.
 */
export function isUnfinished(kind: FieldKind, value: string): boolean {
  if (value === '') return false;
  if (kind === 'email') return !/^[^\s@]+@[^\s@]+$/.test(value);
  if (kind === 'money') return amountOf(value) === undefined;
  if (kind === 'date') return !/^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$/.test(value);
  return false;
}

/** A typed value as the server keeps it: an amount with a point and two decimals. What is none is sent as it is, and refused. */
export function wireValue(kind: FieldKind, value: string): string {
  return kind === 'money' ? (amountOf(value) ?? value) : value;
}

/** The change of one field to a typed value, as it is sent. */
export function changeTo(field: FieldName, typed: string): Partial<Record<FieldName, string>> {
  return { [field]: wireValue(fieldOf(field).kind, typed) };
}

// Groups are of three digits with one separator, which is not the decimal one. A single point or comma before three digits
// is ambiguous, so it is neither.
const AMOUNT =
  /^(?:([0-9]{1,20})|([0-9]{1,3}([.,])[0-9]{3}(?:\3[0-9]{3})*)(?=(?!\3)[.,]|(?<=[.,][0-9]{3}[.,][0-9]{3})$)|([0-9]{1,3}([ \u00a0\u2009\u202f'\u2019])[0-9]{3}(?:\5[0-9]{3})*))(?:[.,]([0-9]{0,2}))?$/;

/** The same rules as `Amount` of the server. */
function amountOf(text: string): string | undefined {
  const match = AMOUNT.exec(text.trim());
  if (!match) return undefined;
  const digits = (match[1] ?? match[2] ?? match[4]!).replace(/[^0-9]/g, '').replace(/^0+(?=.)/, '');
  return digits.length > 8 ? undefined : `${digits}.${(match[6] ?? '').padEnd(2, '0')}`;
}
