import { addWeeks, mondayOf, weekOf, type Day } from './week';

const WEEKS = 6;

/** Returns the weeks that display the month of a date. There are always six, so that the page does not jump. */
export function monthOf(date: Date): readonly (readonly Day[])[] {
  const first = mondayOf(new Date(date.getFullYear(), date.getMonth(), 1));
  return Array.from({ length: WEEKS }, (_, i) => weekOf(addWeeks(first, i)));
}

/** Returns the same day of another month, or its last day where it has fewer. */
export function addMonths(date: Date, months: number): Date {
  const last = new Date(date.getFullYear(), date.getMonth() + months + 1, 0);
  return new Date(last.getFullYear(), last.getMonth(), Math.min(date.getDate(), last.getDate()));
}
