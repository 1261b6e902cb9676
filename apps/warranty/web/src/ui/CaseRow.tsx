import { memo } from 'react';
import { fieldOf } from '../api/fields';
import type { ColumnName } from '../state/columns';
import { useOpenCase, useWarranty } from './context';
import { FieldCell } from './FieldCell';
import { Icon } from './Icon';

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

interface RowProps {
  readonly row: number;
  readonly columns: readonly ColumnName[];
  /** The column of the active cell, if it is in this row. */
  readonly activeColumn: number | undefined;
}

interface CaseRowProps extends RowProps {
  readonly id: string;
  readonly measure: (element: Element | null) => void;
}

export const CaseRow = memo(function CaseRow({ id, row, columns, activeColumn, measure }: CaseRowProps) {
  const record = useWarranty((state) => state.records.get(id));
  const openCase = useOpenCase();
  if (!record) return <EmptyRow row={row} columns={columns} activeColumn={activeColumn} />;
  const { serviceNo, createdAt } = record;
  return (
    <tr
      ref={measure}
      role="row"
      data-index={row}
      data-row={row}
      data-case-row={id}
      aria-rowindex={row + 2}
      aria-label={serviceNo}
    >
      {columns.map((name, index) =>
        name === 'case' ? (
          <th
            key={name}
            scope="row"
            role="rowheader"
            className="column-case"
            data-column={name}
            aria-colindex={index + 1}
            tabIndex={activeColumn === index ? 0 : -1}
          >
            <span className="service">
              <span>
                <span className="service-no">{serviceNo}</span>
                <small className="muted">{day.format(createdAt)}</small>
              </span>
              <button
                type="button"
                className="icon-button"
                title="Open the case (space bar)"
                aria-label={`Open ${serviceNo}`}
                data-action="open"
                tabIndex={-1}
                onClick={() => openCase(id)}
              >
                <Icon name="open" />
              </button>
            </span>
          </th>
        ) : (
          <FieldCell
            key={name}
            id={id}
            field={fieldOf(name)}
            index={index}
            isActive={activeColumn === index}
          />
        ),
      )}
    </tr>
  );
});

/** A row whose case is not loaded yet. */
export function EmptyRow({ row, columns, activeColumn }: RowProps) {
  return (
    <tr role="row" className="row-loading" data-row={row} aria-rowindex={row + 2} aria-busy="true">
      {columns.map((name, index) => (
        <td
          key={name}
          role="gridcell"
          className={`column-${name}`}
          data-column={name}
          aria-colindex={index + 1}
          aria-label="Loading"
          tabIndex={activeColumn === index ? 0 : -1}
        >
          <span />
        </td>
      ))}
    </tr>
  );
}
