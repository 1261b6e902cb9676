import { fields, type FieldName } from '../api/fields';
import type { WarrantyStore } from './state';

/** A column of the table: the service number, or a field. */
export type ColumnName = 'case' | FieldName;

/** Which columns a user hides, and how wide the others are, in CSS pixels. */
export interface Columns {
  readonly hidden: readonly FieldName[];
  readonly widths: Readonly<Partial<Record<ColumnName, number>>>;
}

export const MIN_WIDTH = 72;
export const MAX_WIDTH = 640;

export const FIRST_COLUMNS: Columns = { hidden: [], widths: {} };

const defaults: Record<ColumnName, number> = {
  case: 148,
  status: 136,
  customerName: 168,
  customerContact: 176,
  customerEmail: 188,
  receivedItems: 196,
  issues: 208,
  solutions: 208,
  staff: 104,
  cost: 96,
  purchaseDate: 120,
  invoice: 116,
  address: 196,
  remarks: 196,
};

export function widthOf({ widths }: Columns, name: ColumnName): number {
  return widths[name] ?? defaults[name];
}

/** Returns the columns of the table in their order. */
export function visibleColumns({ hidden }: Columns): readonly ColumnName[] {
  return ['case', ...fields.map(({ name }) => name).filter((name) => !hidden.includes(name))];
}

/** The user's choice of columns. It is stored on this device under the user's id, so that no other user gets it. */
export class ColumnSettings {
  readonly #state: WarrantyStore;
  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined;
  readonly #place: string;

  constructor(
    state: WarrantyStore,
    storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined,
  ) {
    this.#state = state;
    this.#storage = storage;
    this.#place = `dunlin.warranty.columns.${state.getState().userId}`;
    state.setState({ columns: this.#read() });
  }

  setHidden(name: FieldName, isHidden: boolean): void {
    const { hidden, widths } = this.#columns;
    const others = hidden.filter((each) => each !== name);
    this.#change({ hidden: isHidden ? [...others, name] : others, widths });
  }

  setWidth(name: ColumnName, width: number): void {
    const { hidden, widths } = this.#columns;
    this.#change({ hidden, widths: { ...widths, [name]: clamped(width) } });
  }

  reset(): void {
    this.#state.setState({ columns: FIRST_COLUMNS });
    try {
      this.#storage?.removeItem(this.#place);
    } catch {
      // The storage is blocked: nothing is stored.
    }
  }

  get #columns(): Columns {
    return this.#state.getState().columns;
  }

  #change(columns: Columns): void {
    this.#state.setState({ columns });
    try {
      this.#storage?.setItem(this.#place, JSON.stringify(columns));
    } catch {
      // The storage is full or blocked: the choice lives as long as the page.
    }
  }

  // Another version of this page, or a person, may have written it.
  #read(): Columns {
    try {
      const read = JSON.parse(this.#storage?.getItem(this.#place) ?? '{}') as Partial<Columns>;
      const names = fields.map(({ name }) => name);
      const hidden = names.filter((name) => read.hidden?.includes(name));
      const known = Object.entries(read.widths ?? {}).filter(
        ([name, width]) => name in defaults && Number.isFinite(width),
      );
      return {
        hidden,
        widths: Object.fromEntries(known.map(([name, width]) => [name, clamped(Number(width))])),
      };
    } catch {
      return FIRST_COLUMNS;
    }
  }
}

function clamped(width: number): number {
  return Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width)));
}
