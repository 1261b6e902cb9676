import { useCallback, useLayoutEffect, useRef, useState, type FocusEvent, type RefObject } from 'react';
import type { ColumnName } from '../state/columns';
import type { Position } from './gridKeys';

interface Active {
  readonly row: number;
  readonly column: ColumnName;
  /** The case of the row. The active cell follows it when the list changes. */
  readonly id: string | undefined;
}

export interface GridFocus {
  readonly active: Position;
  readonly focus: (to: Position) => void;
  readonly onFocus: (event: FocusEvent) => void;
  readonly onBlur: (event: FocusEvent) => void;
}

/** Roving focus of the grid: one cell is in the tab order, and the grid shows its row even when it is out of the window. */
export function useGridFocus(
  table: RefObject<HTMLElement | null>,
  ids: readonly (string | undefined)[],
  columns: readonly ColumnName[],
): GridFocus {
  const [state, setState] = useState<Active>({ row: 0, column: columns[1] ?? 'case', id: undefined });
  const isWanted = useRef(false);
  const hasFocus = useRef(false);
  const active = positionOf(state, ids, columns);
  const activeId = active.row < 0 ? undefined : ids[active.row];

  const focus = useCallback(
    (to: Position) => {
      isWanted.current = true;
      setState({ row: to.row, column: columns[to.column] ?? 'case', id: ids[to.row] });
    },
    [ids, columns],
  );
  // The row of the cell may be rendered only now, or its case may be loaded only now, which replaces the focused element.
  useLayoutEffect(() => {
    const isLost = hasFocus.current && document.activeElement === document.body;
    if (!isWanted.current && !isLost) return;
    const cell = table.current?.querySelector<HTMLElement>(
      `[data-row="${active.row}"] [data-column="${columns[active.column]}"]`,
    );
    if (!cell) return;
    isWanted.current = false;
    (cell.querySelector<HTMLElement>('[data-focus]') ?? cell).focus();
  }, [table, columns, active.row, active.column, activeId, state]);

  const onFocus = useCallback(
    (event: FocusEvent) => {
      hasFocus.current = true;
      const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-column]');
      const row = Number(cell?.closest<HTMLElement>('[data-row]')?.dataset['row']);
      if (!cell || Number.isNaN(row)) return;
      const column = cell.dataset['column'] as ColumnName;
      setState((before) =>
        before.row === row && before.column === column && before.id === ids[row]
          ? before
          : { row, column, id: ids[row] },
      );
    },
    [ids],
  );
  // A removed element loses the focus without a successor.
  const onBlur = useCallback((event: FocusEvent) => {
    if (event.relatedTarget || (event.target as HTMLElement).isConnected) hasFocus.current = false;
  }, []);
  return { active, focus, onFocus, onBlur };
}

function positionOf(
  { row, column, id }: Active,
  ids: readonly (string | undefined)[],
  columns: readonly ColumnName[],
): Position {
  const moved = id === undefined || ids[row] === id ? row : ids.indexOf(id);
  return {
    row: Math.min(moved < 0 && row >= 0 ? row : moved, Math.max(0, ids.length - 1)),
    column: Math.max(0, columns.indexOf(column)),
  };
}
