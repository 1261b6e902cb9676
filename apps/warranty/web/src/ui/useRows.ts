import {
  defaultRangeExtractor,
  useVirtualizer,
  useWindowVirtualizer,
  type Range,
  type VirtualItem,
} from '@tanstack/react-virtual';
import { useCallback, useSyncExternalStore, type RefObject } from 'react';

/** The rows to render, in their order. Rows out of the window are kept if they are pinned. */
export interface Rows {
  readonly items: readonly VirtualItem[];
  readonly totalSize: number;
  /** Height of what precedes the first row in the scrolled element. */
  readonly before: number;
  readonly first: number;
  readonly last: number;
  readonly measure: (element: Element | null) => void;
  readonly scrollTo: (row: number) => void;
}

interface RowsOptions {
  readonly ids: readonly (string | undefined)[];
  readonly pinned: readonly number[];
}

const OVERSCAN = 8;
const ROW_HEIGHT = 61;
const CARD_HEIGHT = 330;
const PHONE = '(max-width: 760px)';

/** Rows of the frame, which scrolls by itself. */
export function useFrameRows(frame: RefObject<HTMLElement | null>, options: RowsOptions): Rows {
  const virtualizer = useVirtualizer<HTMLElement, HTMLElement>({
    ...useCommon(options),
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_HEIGHT,
  });
  return rowsOf(virtualizer, 0);
}

/** Cards of a phone, which scroll with the page. */
export function useWindowRows(frame: RefObject<HTMLElement | null>, options: RowsOptions): Rows {
  const scrollMargin = frame.current?.offsetTop ?? 0;
  const virtualizer = useWindowVirtualizer<HTMLElement>({
    ...useCommon(options),
    estimateSize: () => CARD_HEIGHT,
    scrollMargin,
  });
  return rowsOf(virtualizer, scrollMargin);
}

/** Whether the table is shown as cards. */
export function useIsPhone(): boolean {
  const subscribe = useCallback((listener: () => void) => {
    const query = matchMedia(PHONE);
    query.addEventListener('change', listener);
    return () => query.removeEventListener('change', listener);
  }, []);
  return useSyncExternalStore(subscribe, () => matchMedia(PHONE).matches);
}

function useCommon({ ids, pinned }: RowsOptions) {
  const getItemKey = useCallback((row: number) => ids[row] ?? row, [ids]);
  const rangeExtractor = useCallback(
    (range: Range) => {
      const rows = new Set([...defaultRangeExtractor(range), ...pinned]);
      return [...rows].filter((row) => row >= 0 && row < range.count).sort((one, other) => one - other);
    },
    [pinned],
  );
  // A synchronous flush inside an effect is an error of React.
  return { count: ids.length, getItemKey, rangeExtractor, overscan: OVERSCAN, useFlushSync: false };
}

interface Virtual {
  readonly range: { startIndex: number; endIndex: number } | null;
  readonly measureElement: (element: HTMLElement | null) => void;
  getVirtualItems(): VirtualItem[];
  getTotalSize(): number;
  scrollToIndex(row: number, options: { align: 'start' }): void;
}

function rowsOf(virtualizer: Virtual, before: number): Rows {
  return {
    items: virtualizer.getVirtualItems(),
    totalSize: virtualizer.getTotalSize(),
    before,
    first: virtualizer.range?.startIndex ?? 0,
    last: virtualizer.range?.endIndex ?? 0,
    measure: virtualizer.measureElement as (element: Element | null) => void,
    scrollTo: (row) => virtualizer.scrollToIndex(row, { align: 'start' }),
  };
}
