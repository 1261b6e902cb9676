import { useEffect, useRef, type KeyboardEvent } from 'react';
import { fields } from '../api/fields';
import type { Overlay } from './App';
import { CaseRow } from './CaseRow';
import { useShow, useWarranty } from './context';
import { focusCell, moveFocus } from './focus';
import { Icon } from './Icon';

export interface CaseTableProps {
  readonly onOverlay: (overlay: Overlay) => void;
}

export function CaseTable({ onOverlay }: CaseTableProps) {
  const ids = useWarranty((state) => state.ids);
  const isLoaded = useWarranty((state) => state.isLoaded);
  const isLoading = useWarranty((state) => state.isLoading);
  const table = useRef<HTMLTableElement>(null);
  useOneTabStop(table, ids);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLElement && event.target.matches('td[data-field]')) moveFocus(event);
  };
  return (
    <main className="table-frame" aria-busy={isLoading}>
      {isLoading && <div className="progress" />}
      <table ref={table} className="cases" role="grid" onKeyDown={onKeyDown}>
        <caption className="visually-hidden">
          Warranty cases. Arrow keys move between fields, Enter or F2 edits, Escape takes an edit back.
        </caption>
        <thead>
          <tr>
            <SortableHeader name="serviceNo" label="Service no." className="column-case" />
            {fields.map(({ name, label, isSortable }) =>
              isSortable ? (
                <SortableHeader key={name} name={name} label={label} className={`column-${name}`} />
              ) : (
                <th key={name} scope="col" className={`column-${name}`}>
                  <span className="header-label">{label}</span>
                </th>
              ),
            )}
            <th scope="col" className="column-actions">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {ids.map((id) => (
            <CaseRow key={id} id={id} onOverlay={onOverlay} />
          ))}
        </tbody>
      </table>
      {ids.length === 0 && (isLoaded ? <Empty /> : <Skeleton />)}
    </main>
  );
}

function SortableHeader({
  name,
  label,
  className,
}: {
  readonly name: string;
  readonly label: string;
  readonly className: string;
}) {
  const show = useShow();
  const sort = useWarranty((state) => state.query.sort);
  const direction = sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : undefined;
  return (
    <th scope="col" className={className} aria-sort={direction ?? 'none'} data-sort={name}>
      <button
        type="button"
        className="header-label"
        onClick={() => show({ sort: direction === 'ascending' ? `-${name}` : name })}
      >
        {label}
        {direction && <Icon name={direction === 'ascending' ? 'up' : 'down'} />}
      </button>
    </th>
  );
}

function Empty() {
  const search = useWarranty((state) => state.query.search);
  const show = useShow();
  if (search === '') {
    return (
      <div className="empty">
        <Icon name="table" />
        <h2>No cases yet</h2>
        <p className="muted">The first one begins with “New case”.</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <Icon name="search" />
      <h2>Nothing found for “{search}”</h2>
      <button type="button" className="button" onClick={() => show({ search: '' })}>
        Show all cases
      </button>
    </div>
  );
}

function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading cases">
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} />
      ))}
    </div>
  );
}

// Makes one cell of the grid reachable with Tab: the last focused one, or the first.
function useOneTabStop(table: React.RefObject<HTMLTableElement | null>, ids: readonly string[]): void {
  useEffect(() => {
    const element = table.current!;
    const hasStop = element.querySelector('td[data-field][tabindex="0"]');
    if (!hasStop) element.querySelector<HTMLElement>('td[data-field]')?.setAttribute('tabindex', '0');
    const onFocus = (event: FocusEvent) => {
      const cell = (event.target as HTMLElement).closest<HTMLElement>('td[data-field]');
      if (cell) focusCell(element, cell, false);
    };
    element.addEventListener('focusin', onFocus);
    return () => element.removeEventListener('focusin', onFocus);
  }, [table, ids]);
}
