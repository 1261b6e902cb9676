import type { CalendarEntry } from '../api/focus';
import { createdSpan, movedSpan, resizedSpan, type Span, type Spot } from '../state/drag';
import type { Day } from '../state/week';
import { acceptsTask, droppedTask } from './taskDrag';

/** What a drag does, with its result so far. Without an entry it creates one. */
export interface Drag {
  readonly kind: 'create' | 'move' | 'resize';
  readonly entry?: CalendarEntry | undefined;
  readonly span: Span;
}

export interface GridDragOptions {
  readonly days: () => readonly Day[];
  readonly entry: (id: string) => CalendarEntry | undefined;
  readonly drop: (drag: Drag) => void;
  readonly dropTask: (id: string, span: Span) => void;
}

interface Gesture {
  readonly kind: Drag['kind'];
  readonly entry?: CalendarEntry | undefined;
  readonly from: Spot;
  readonly pointerId: number;
  readonly x: number;
  readonly y: number;
}

/** Distance in pixels from which a mouse drags instead of clicking. */
const MOUSE_SLACK = 4;
/** Distance in pixels from which a finger scrolls instead of pressing. */
const TOUCH_SLACK = 10;
const LONG_PRESS_MS = 400;
/** Near its edge the grid scrolls, in pixels. */
const EDGE = 28;

/** Creates, moves and resizes entries by pointer in a grid of days. A finger has to press long first, because it also scrolls. */
export class GridDrag {
  readonly #options: GridDragOptions;
  #grid: HTMLElement | undefined;
  #gesture: Gesture | undefined;
  #stopPress: (() => void) | undefined;
  #isCancelled = false;
  /** The drag in progress. */
  current = $state.raw<Drag | undefined>(undefined);

  constructor(options: GridDragOptions) {
    this.#options = options;
  }

  /** Listens on the grid until the returned function is called. */
  attach(grid: HTMLElement): () => void {
    this.#grid = grid;
    const stop = new AbortController();
    const { signal } = stop;
    grid.addEventListener('pointerdown', (event) => this.#down(event), { signal });
    // Not passive: only a cancelled touch keeps the browser from scrolling.
    grid.addEventListener('touchmove', (event) => this.current && event.preventDefault(), {
      signal,
      passive: false,
    });
    grid.addEventListener('contextmenu', (event) => this.current && event.preventDefault(), { signal });
    grid.addEventListener('dragover', (event) => this.#hover(event), { signal });
    grid.addEventListener('drop', (event) => this.#dropTask(event), { signal });
    grid.addEventListener('dragleave', (event) => this.#leave(event), { signal });
    window.addEventListener('pointermove', (event) => this.#move(event), { signal });
    window.addEventListener('pointerup', (event) => this.#up(event), { signal });
    window.addEventListener('pointercancel', () => this.#end(), { signal });
    window.addEventListener('keydown', (event) => this.#key(event), { signal, capture: true });
    return () => {
      this.#end();
      stop.abort();
    };
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0 || this.#gesture) return;
    const from = this.#spotAt(event);
    const target = event.target as HTMLElement;
    const found = target.closest<HTMLElement>('[data-event]');
    if (!from || (!found && !target.matches('.week-day-hours'))) return;
    const entry = found ? this.#options.entry(found.dataset['event'] ?? '') : undefined;
    if (found && !entry) return;
    const kind = !entry ? 'create' : target.closest('[data-resize]') ? 'resize' : 'move';
    this.#gesture = { kind, entry, from, pointerId: event.pointerId, x: event.clientX, y: event.clientY };
    if (event.pointerType !== 'touch') return;
    // A press without a movement creates an hour, as a click does.
    const at = kind === 'create' ? { ...from, minutes: from.minutes + 60 } : from;
    const timer = setTimeout(() => this.#show(at), LONG_PRESS_MS);
    this.#stopPress = () => clearTimeout(timer);
  }

  #move(event: PointerEvent): void {
    const gesture = this.#gesture;
    if (!gesture || this.#isCancelled || event.pointerId !== gesture.pointerId) return;
    if (!this.current) {
      const distance = Math.hypot(event.clientX - gesture.x, event.clientY - gesture.y);
      if (event.pointerType === 'touch') {
        if (distance > TOUCH_SLACK) this.#end();
        return;
      }
      if (distance < MOUSE_SLACK) return;
    }
    this.#scroll(event.clientY);
    const spot = this.#spotAt(event);
    if (spot) this.#show(spot);
  }

  #show(at: Spot): void {
    const gesture = this.#gesture;
    if (!gesture) return;
    const { kind, entry, from } = gesture;
    if (!entry) this.current = { kind, span: createdSpan(from, at) };
    else {
      const span = { start: new Date(entry.start), end: new Date(entry.end) };
      this.current = {
        kind,
        entry,
        span: kind === 'resize' ? resizedSpan(span, at) : movedSpan(span, from, at),
      };
    }
  }

  #up(event: PointerEvent): void {
    if (event.pointerId !== this.#gesture?.pointerId) return;
    const drag = this.current;
    if (drag || this.#isCancelled) ignoreClick();
    this.#end();
    if (drag) this.#options.drop(drag);
  }

  /** Shows where a task from the list would be planned: an hour from the pointer on. */
  #hover(event: DragEvent): void {
    const at = this.#spotAt(event);
    if (!at || !acceptsTask(event)) return;
    this.#scroll(event.clientY);
    this.current = { kind: 'create', span: createdSpan(at, { ...at, minutes: at.minutes + 60 }) };
  }

  #dropTask(event: DragEvent): void {
    const { current } = this;
    const id = droppedTask(event);
    this.#end();
    if (!id || !current) return;
    event.preventDefault();
    this.#options.dropTask(id, current.span);
  }

  #leave(event: DragEvent): void {
    if (!this.#gesture && !this.#grid!.contains(event.relatedTarget as Node | null)) this.#end();
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.current) return;
    event.preventDefault();
    event.stopPropagation();
    this.#isCancelled = true;
    this.current = undefined;
  }

  #end(): void {
    this.#stopPress?.();
    this.#stopPress = undefined;
    this.#gesture = undefined;
    this.#isCancelled = false;
    this.current = undefined;
  }

  #scroll(y: number): void {
    const grid = this.#grid!;
    const { top, bottom } = grid.getBoundingClientRect();
    if (y < top + EDGE) grid.scrollTop -= EDGE / 2;
    else if (y > bottom - EDGE) grid.scrollTop += EDGE / 2;
  }

  /** Returns the position below the pointer. Undefined where the days are a list, in which a height is not an hour. */
  #spotAt({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }): Spot | undefined {
    const columns = [...this.#grid!.querySelectorAll<HTMLElement>('.week-day-hours')];
    const rects = columns.map((column) => column.getBoundingClientRect());
    const first = rects[0];
    if (!first || rects.some(({ top }) => top !== first.top)) return undefined;
    const found = rects.findIndex(({ right }) => clientX < right);
    const index = found === -1 ? rects.length - 1 : found;
    const day = this.#options.days()[index];
    const minutes = ((clientY - first.top) / first.height) * 1_440;
    return day && { day, minutes: Math.min(1_440, Math.max(0, minutes)) };
  }
}

/** Ignores the click that ends a drag. */
function ignoreClick(): void {
  const stop = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener('click', stop, { capture: true, once: true });
  setTimeout(() => removeEventListener('click', stop, { capture: true }));
}
