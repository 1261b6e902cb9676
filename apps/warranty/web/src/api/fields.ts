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

/** Values of `status`, `staff` and `date` are selected and saved at once. The other kinds are typed and saved after the debounce delay. */
export type FieldKind = 'status' | 'staff' | 'date' | 'line' | 'text' | 'email' | 'money';

export interface Field {
  readonly name: FieldName;
  readonly label: string;
  readonly kind: FieldKind;
  readonly maxLength: number;
  readonly isSortable: boolean;
  /** Whether a phone shows the field before "All fields" is pressed. */
  readonly isMain: boolean;
}

const field = (
  name: FieldName,
  label: string,
  kind: FieldKind,
  maxLength: number,
  { isSortable = true, isMain = false } = {},
): Field => ({ name, label, kind, maxLength, isSortable, isMain });

/** All fields in the order of the columns. */
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

/** The names that cases can be sorted by. */
export const sortNames: ReadonlySet<string> = new Set([
  'createdAt',
  'serviceNo',
  ...fields.filter(({ isSortable }) => isSortable).map(({ name }) => name),
]);

const byName = new Map(fields.map((each) => [each.name, each]));

export function fieldOf(name: FieldName): Field {
  return byName.get(name)!;
}

/** Returns a field's label for use inside a sentence. Unknown names, of later servers, are returned unchanged. */
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

/** Returns a value as it is displayed outside the editor. */
export function shownValue(kind: FieldKind, value: string): string {
  return kind === 'status' ? statusLabel(value) : value;
}

/**
 * Whether a value is invalid only because typing is not finished, such as `ann@`. It is not saved while the user types. When the user
 * leaves the field it is saved, and the server validates it.
 */
export function isUnfinished(kind: FieldKind, value: string): boolean {
  if (value === '') return false;
  if (kind === 'email') return !/^[^\s@]+@[^\s@]+$/.test(value);
  if (kind === 'money') return amountOf(value) === undefined;
  if (kind === 'date') return !/^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$/.test(value);
  return false;
}

/**
 * Converts a typed value to its wire format: amounts use a decimal point and two digits. An invalid amount is sent unchanged, and the
 * server refuses it.
 */
export function wireValue(kind: FieldKind, value: string): string {
  return kind === 'money' ? (amountOf(value) ?? value) : value;
}

/** Returns the change of one field to a typed value, in wire format. */
export function changeTo(field: FieldName, typed: string): Partial<Record<FieldName, string>> {
  return { [field]: wireValue(fieldOf(field).kind, typed) };
}

// Groups have three digits and one separator, which differs from the decimal separator. A single point or comma before three digits is
// ambiguous, so it is rejected.
const AMOUNT =
  /^(?:([0-9]{1,20})|([0-9]{1,3}([.,])[0-9]{3}(?:\3[0-9]{3})*)(?=(?!\3)[.,]|(?<=[.,][0-9]{3}[.,][0-9]{3})$)|([0-9]{1,3}([ \u00a0\u2009\u202f'\u2019])[0-9]{3}(?:\5[0-9]{3})*))(?:[.,]([0-9]{0,2}))?$/;

/** The same rules as `Amount` on the server. */
function amountOf(text: string): string | undefined {
  const match = AMOUNT.exec(text.trim());
  if (!match) return undefined;
  const digits = (match[1] ?? match[2] ?? match[4]!).replace(/[^0-9]/g, '').replace(/^0+(?=.)/, '');
  return digits.length > 8 ? undefined : `${digits}.${(match[6] ?? '').padEnd(2, '0')}`;
}
