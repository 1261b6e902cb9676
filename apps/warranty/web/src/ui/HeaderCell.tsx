import { useRef, type PointerEvent } from 'react';
import { fieldOf } from '../api/fields';
import { widthOf, type ColumnName } from '../state/columns';
import { useContextValue, useShow, useWarranty } from './context';
import { Icon } from './Icon';

interface HeaderCellProps {
  readonly name: ColumnName;
  readonly index: number;
  readonly isActive: boolean;
}

export function HeaderCell({ name, index, isActive }: HeaderCellProps) {
  const show = useShow();
  const sort = useWarranty((state) => state.query.sort);
  const field = name === 'case' ? undefined : fieldOf(name);
  const sortName = field ? field.name : 'serviceNo';
  const label = field?.label ?? 'Service no.';
  const isSortable = field?.isSortable ?? true;
  const direction = sort === sortName ? 'ascending' : sort === `-${sortName}` ? 'descending' : undefined;
  const tabIndex = isActive ? 0 : -1;
  return (
    <th
      scope="col"
      role="columnheader"
      className={`column-${name}`}
      aria-colindex={index + 1}
      aria-sort={isSortable ? (direction ?? 'none') : undefined}
      data-sort={isSortable ? sortName : undefined}
      data-column={name}
      tabIndex={isSortable ? undefined : tabIndex}
    >
      {isSortable ? (
        <button
          type="button"
          className="header-label"
          data-focus=""
          tabIndex={tabIndex}
          onClick={() => show({ sort: direction === 'ascending' ? `-${sortName}` : sortName })}
        >
          {label}
          {direction && <Icon name={direction === 'ascending' ? 'up' : 'down'} />}
        </button>
      ) : (
        <span className="header-label">{label}</span>
      )}
      <Resizer name={name} />
    </th>
  );
}

/** The edge of a column, for a pointer. The menu “Columns” sets widths by keyboard. */
function Resizer({ name }: { readonly name: ColumnName }) {
  const { columns, state } = useContextValue();
  const drag = useRef<{ x: number; width: number } | undefined>(undefined);
  const onPointerDown = (event: PointerEvent) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { x: event.clientX, width: widthOf(state.getState().columns, name) };
  };
  const onPointerMove = (event: PointerEvent) => {
    if (drag.current) columns.setWidth(name, drag.current.width + event.clientX - drag.current.x);
  };
  const end = () => (drag.current = undefined);
  return (
    <span
      className="resizer"
      aria-hidden="true"
      data-resize={name}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={end}
      onPointerCancel={end}
    />
  );
}
