import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

/** A drag of one row: where it started, and before which row of the others it would land. */
export interface Drag {
  readonly from: number;
  readonly to: number;
}

export interface Reorder {
  readonly drag: ShallowRef<Drag | undefined>;
  /** Handles `pointerdown` on the handle of a row. */
  start(event: PointerEvent, from: number): void;
}

/** Distance in pixels from the edge of the window within which a drag scrolls, and the step of one move. */
const EDGE = 60;
const STEP = 12;

/**
 * Moves the rows of a list by mouse, pen or finger.
 * @param rows returns the elements of the rows in their order.
 * @param commit is called at the end of a drag that changes the order.
 */
export function useReorder(
  rows: () => readonly Element[],
  commit: (from: number, to: number) => void,
): Reorder {
  const drag = shallowRef<Drag>();
  let end: AbortController | undefined;

  function finish(isCommitted: boolean): void {
    const { from, to } = drag.value ?? { from: 0, to: 0 };
    drag.value = undefined;
    end?.abort();
    if (isCommitted && from !== to) commit(from, to);
  }

  function start(event: PointerEvent, from: number): void {
    if (event.button !== 0 || drag.value) return;
    event.preventDefault();
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    drag.value = { from, to: from };
    end = new AbortController();
    const { signal } = end;
    handle.addEventListener('pointermove', ({ clientY }) => follow(clientY, from), { signal });
    handle.addEventListener('pointerup', () => finish(true), { signal });
    handle.addEventListener('pointercancel', () => finish(false), { signal });
    document.addEventListener('keydown', ({ key }) => key === 'Escape' && finish(false), { signal });
  }

  function follow(y: number, from: number): void {
    if (y < EDGE) scrollBy(0, -STEP);
    else if (y > innerHeight - EDGE) scrollBy(0, STEP);
    drag.value = { from, to: indexAt(y, from) };
  }

  // The index among the other rows: the number of those whose middle is above the pointer.
  function indexAt(y: number, from: number): number {
    const others = rows().filter((_, index) => index !== from);
    return others.filter((row) => middleOf(row) < y).length;
  }

  onScopeDispose(() => finish(false));
  return { drag, start };
}

function middleOf(row: Element): number {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
}

/** Returns the index to which a key moves a row. Undefined for keys that move nothing. */
export function indexAfterKey(key: string, from: number, count: number): number | undefined {
  const to = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: count - 1 }[key];
  return to === undefined || to === from || to < 0 || to >= count ? undefined : to;
}
