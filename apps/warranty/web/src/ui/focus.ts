import type { KeyboardEvent } from 'react';

const CELLS = 'td[data-field]';

/** Makes a cell reachable with Tab and focuses it. */
export function focusCell(table: Element, cell: HTMLElement, focus = true): void {
  table.querySelectorAll(`${CELLS}[tabindex="0"]`).forEach((other) => other.setAttribute('tabindex', '-1'));
  cell.setAttribute('tabindex', '0');
  if (focus) cell.focus();
}

/** Moves the focus between cells with the arrow keys, Home, End, Page Up and Page Down. */
export function moveFocus(event: KeyboardEvent): void {
  if (event.altKey || event.metaKey) return;
  const cell = event.target as HTMLElement;
  const row = cell.closest('tr')!;
  const table = cell.closest('table')!;
  const cells = [...row.querySelectorAll<HTMLElement>(CELLS)];
  const rows = [...table.querySelectorAll('tbody > tr')];
  const column = cells.indexOf(cell);
  const at = rows.indexOf(row);
  const last = cells.length - 1;
  const targets: Record<string, [number, number]> = {
    ArrowLeft: [at, Math.max(0, column - 1)],
    ArrowRight: [at, Math.min(last, column + 1)],
    ArrowUp: [Math.max(0, at - 1), column],
    ArrowDown: [Math.min(rows.length - 1, at + 1), column],
    Home: [event.ctrlKey ? 0 : at, 0],
    End: [event.ctrlKey ? rows.length - 1 : at, last],
    PageUp: [Math.max(0, at - 10), column],
    PageDown: [Math.min(rows.length - 1, at + 10), column],
  };
  const target = targets[event.key];
  if (!target) return;
  event.preventDefault();
  const next = rows[target[0]]?.querySelectorAll<HTMLElement>(CELLS)[target[1]];
  if (next) focusCell(table, next);
}

/** Returns the next or previous cell, across row ends. */
export function neighbour(cell: HTMLElement, step: 1 | -1): HTMLElement | undefined {
  const cells = [...cell.closest('table')!.querySelectorAll<HTMLElement>(CELLS)].filter(
    (each) => each.offsetParent !== null,
  );
  return cells[cells.indexOf(cell) + step];
}
