import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { fieldOf, fields } from '../api/fields';
import { fieldKey, partsOf } from '../api/fieldLocks';
import { visibleColumns, widthOf, type ColumnName } from '../state/columns';
import { pageOf, rowOf } from '../state/pages';
import { holderOf } from '../state/state';
import { CaseRow, EmptyRow } from './CaseRow';
import { useBranchStore, useContextValue, useOpenCase, useShow, useWarranty } from './context';
import { Empty, Skeleton } from './Empty';
import { GridContext } from './gridContext';
import { beside, isTyping, moved, type Position } from './gridKeys';
import { HeaderCell } from './HeaderCell';
import { useGridFocus } from './useGridFocus';
import { useFrameRows, useIsPhone, useWindowRows, type Rows } from './useRows';

const PAGE_DELAY_MS = 150;

/** The columns of a card. The record panel shows the other fields. */
const cardColumns: readonly ColumnName[] = [
  'case',
  ...fields.filter(({ isMain }) => isMain).map(({ name }) => name),
];

export function CaseTable() {
  return useIsPhone() ? <Cards /> : <Grid />;
}

function Grid() {
  const settings = useWarranty((state) => state.columns);
  const columns = useMemo(() => visibleColumns(settings), [settings]);
  return <Table columns={columns} useRows={useFrameRows} />;
}

function Cards() {
  return <Table columns={cardColumns} useRows={useWindowRows} />;
}

interface TableProps {
  readonly columns: readonly ColumnName[];
  readonly useRows: typeof useFrameRows;
}

function Table({ columns, useRows }: TableProps) {
  const store = useBranchStore();
  const { state } = useContextValue();
  const openCase = useOpenCase();
  const ids = useWarranty(({ ids }) => ids);
  const isLoaded = useWarranty(({ isLoaded }) => isLoaded);
  const isLoading = useWarranty(({ isLoading }) => isLoading);
  const edits = useWarranty(({ edits }) => edits);
  const frame = useRef<HTMLElement>(null);
  const table = useRef<HTMLTableElement>(null);
  const grid = useGridFocus(table, ids, columns);
  const { active, focus } = grid;
  const pinned = useMemo(
    () => [active.row, ...[...edits.keys()].map((key) => ids.indexOf(partsOf(key).id))],
    [active.row, edits, ids],
  );
  const rows = useRows(frame, { ids, pinned });
  useVisiblePages(rows);

  const size = { rows: ids.length, columns: columns.length, shownRows: rows.last - rows.first };
  const leave = useCallback(
    (step: 0 | 1 | -1) => {
      const next = step === 0 ? active : beside(active, step, { ...size, rows: ids.length });
      focus(next ?? active);
    },
    [active.row, active.column, ids.length, columns.length, focus],
  );
  const actions = useMemo(() => ({ leave }), [leave]);

  const beginAt = ({ row, column }: Position, typed?: string) => {
    const id = ids[row];
    const name = columns[column];
    if (id === undefined || name === undefined) return;
    if (name === 'case') return typed === undefined ? openCase(id) : undefined;
    const key = fieldKey(id, name);
    const holder = holderOf(state.getState(), key);
    if (holder !== undefined) return store.tellLocked(key, holder);
    const { kind } = fieldOf(name);
    const isMenu = kind === 'status' || kind === 'staff' || kind === 'date';
    store.beginEdit(key, isMenu ? undefined : typed);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const isCell = target.matches('[data-column]') || target.matches('[data-focus]');
    if (!isCell || event.nativeEvent.isComposing) return;
    const to = event.altKey || event.metaKey ? undefined : moved(active, event, size);
    if (to) {
      event.preventDefault();
      return focus(to);
    }
    if (active.row < 0) return;
    const id = ids[active.row];
    const name = columns[active.column];
    if (event.key === 'Enter' || event.key === 'F2') beginAt(active);
    else if (event.key === ' ' && id !== undefined) openCase(id);
    else if (event.key === 'Escape' && id !== undefined && name !== undefined && name !== 'case')
      store.dismissError(fieldKey(id, name));
    else if (isTyping(event)) beginAt(active, event.key);
    else return;
    event.preventDefault();
  };
  return (
    <GridContext value={actions}>
      <main ref={frame} className="table-frame" aria-busy={isLoading}>
        {isLoading && <div className="progress" />}
        <table
          ref={table}
          className="cases"
          role="grid"
          aria-rowcount={ids.length + 1}
          aria-colcount={columns.length}
          onKeyDown={onKeyDown}
          onFocus={grid.onFocus}
          onBlur={grid.onBlur}
        >
          <caption className="visually-hidden">
            Warranty cases. Arrow keys move between fields. Enter, F2 or a character begins an edit, Escape
            takes it back, the space bar opens the case.
          </caption>
          <Widths columns={columns} />
          <thead>
            <tr role="row" aria-rowindex={1} data-row={-1}>
              {columns.map((name, index) => (
                <HeaderCell
                  key={name}
                  name={name}
                  index={index}
                  isActive={active.row === -1 && active.column === index}
                />
              ))}
            </tr>
          </thead>
          <Body columns={columns} rows={rows} ids={ids} active={active} />
        </table>
        {ids.length === 0 && (isLoaded ? <Empty /> : <Skeleton />)}
      </main>
    </GridContext>
  );
}

function Widths({ columns }: { readonly columns: readonly ColumnName[] }) {
  const settings = useWarranty((state) => state.columns);
  return (
    <colgroup>
      {columns.map((name) => (
        <col key={name} style={{ width: widthOf(settings, name) }} />
      ))}
    </colgroup>
  );
}

interface BodyProps {
  readonly columns: readonly ColumnName[];
  readonly rows: Rows;
  readonly ids: readonly (string | undefined)[];
  readonly active: Position;
}

/** Renders the rows of the window. Spacers stand for the others, also between a pinned row and the window. */
function Body({ columns, rows, ids, active }: BodyProps) {
  let end = rows.before;
  const rendered = rows.items.flatMap(({ index, start, end: next, key }) => {
    const gap = start - end;
    end = next;
    const id = ids[index];
    const activeColumn = active.row === index ? active.column : undefined;
    const row =
      id === undefined ? (
        <EmptyRow key={String(key)} row={index} columns={columns} activeColumn={activeColumn} />
      ) : (
        <CaseRow
          key={String(key)}
          id={id}
          row={index}
          columns={columns}
          activeColumn={activeColumn}
          measure={rows.measure}
        />
      );
    return gap > 0 ? [<Spacer key={`gap ${index}`} height={gap} />, row] : [row];
  });
  const rest = rows.before + rows.totalSize - end;
  return (
    <tbody>
      {rendered}
      {rest > 0 && <Spacer height={rest} />}
    </tbody>
  );
}

function Spacer({ height }: { readonly height: number }) {
  return <tr className="spacer" role="presentation" aria-hidden="true" style={{ height }} />;
}

// Loads the rows of the window, and keeps the page in the address equal to the scroll position.
function useVisiblePages({ first, last, scrollTo }: Rows): void {
  const store = useBranchStore();
  const show = useShow();
  const isLoaded = useWarranty((state) => state.isLoaded);
  const ids = useWarranty((state) => state.ids);
  const page = useWarranty((state) => state.query.page);
  const list = useWarranty(({ branchId, query }) => JSON.stringify({ ...query, page: 0, branchId }));
  const shown = useRef({ page: 1, list });
  useEffect(() => store.view(first, last), [store, first, last, ids]);
  useLayoutEffect(() => {
    if (!isLoaded || (shown.current.page === page && shown.current.list === list)) return;
    shown.current = { page, list };
    scrollTo(rowOf(page));
  }, [isLoaded, page, list]);
  useEffect(() => {
    if (!isLoaded) return;
    // The last page may be too short to begin at the top.
    const isVisible = rowOf(shown.current.page) >= first && rowOf(shown.current.page) <= last;
    const now = pageOf(first);
    if (isVisible || now === shown.current.page) return;
    const timer = setTimeout(() => {
      shown.current = { ...shown.current, page: now };
      show({ page: now }, true);
    }, PAGE_DELAY_MS);
    return () => clearTimeout(timer);
  }, [show, isLoaded, first, last]);
}
