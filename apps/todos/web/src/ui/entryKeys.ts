import type { KeyboardEvent } from 'react';

const ROW = '[data-task]';

/** Moves the focus to the checkbox of a row, or to the field for a new entry. */
export function focusRow(row: Element | null): void {
  const target = row?.querySelector<HTMLElement>('input[type=checkbox]');
  (target ?? document.querySelector<HTMLElement>('.new-entry input'))?.focus();
}

/** Returns the row that gets the focus when the row of an element leaves its place: the next open one, or the one before. */
export function neighbourOf(element: Element): Element | null {
  const row = element.closest(ROW);
  const next = row?.nextElementSibling ?? null;
  return next?.matches('[data-done=false]') ? next : (row?.previousElementSibling ?? next);
}

export interface EntryKeys {
  /** Moves the entry with this id one place up (-1) or down (1). Undefined where entries have no order. */
  readonly move?: ((id: string, step: 1 | -1) => void) | undefined;
}

/**
 * The keys of a list of entries: arrows go from entry to entry, Ctrl with an arrow moves the entry, Enter on a checkbox goes to the field
 * for a new entry, Delete deletes. Space toggles a checkbox by itself.
 */
export function onEntryKey(event: KeyboardEvent<HTMLElement>, { move }: EntryKeys): void {
  const target = event.target as HTMLElement;
  const row = target.closest(ROW);
  if (!row || event.altKey || event.shiftKey) return;
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const isCheckbox = target.matches('[type=checkbox]');
  if (step !== 0 && (event.ctrlKey || event.metaKey)) {
    if (!move) return;
    move(row.getAttribute('data-task')!, step);
  } else if (step !== 0 && (isCheckbox || isAtEdge(target, step))) {
    goTo(step > 0 ? row.nextElementSibling : row.previousElementSibling, target, step);
  } else if (event.key === 'Enter' && isCheckbox) {
    focusRow(null);
  } else if (event.key === 'Delete' && isCheckbox) {
    row.querySelector<HTMLElement>('.entry-delete')!.click();
  } else return;
  event.preventDefault();
}

/** Whether an arrow key would leave the text: in other fields arrows change the value. */
function isAtEdge(target: HTMLElement, step: 1 | -1): boolean {
  if (target.matches('button')) return true;
  if (!(target instanceof HTMLTextAreaElement)) return false;
  const edge = step > 0 ? target.value.length : 0;
  return target.selectionStart === edge && target.selectionEnd === edge;
}

function goTo(row: Element | null, from: HTMLElement, step: 1 | -1): void {
  if (!row) {
    if (step < 0) focusRow(null);
    return;
  }
  const field = from instanceof HTMLTextAreaElement ? row.querySelector('textarea') : null;
  if (!field) return focusRow(row);
  field.focus();
  const caret = step > 0 ? 0 : field.value.length;
  field.setSelectionRange(caret, caret);
}
