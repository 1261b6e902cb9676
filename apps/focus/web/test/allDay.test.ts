import { describe, expect, test } from 'vitest';
import type { CalendarEntry } from '../src/api/focus';
import { byStart, datesOf, isOnDay, placeAllDay, shiftedDates, wholeDays } from '../src/state/allDay';
import { addMonths, monthOf } from '../src/state/month';
import { dayKey, placeDay, weekOf, withOffset } from '../src/state/week';

const days = weekOf(new Date(2030, 0, 7));
const entry = (id: string, times: { start: string; end: string }, isAllDay = true): CalendarEntry => ({
  id,
  title: id,
  notes: '',
  ...times,
  isAllDay,
  color: '',
  taskId: null,
  recurrence: null,
  timeZone: null,
  seriesId: null,
  version: 1,
});

describe('An all-day entry', () => {
  test('has the same dates in every zone, its last day included', () => {
    const holiday = entry('holiday', wholeDays('2030-01-08', '2030-01-09'));
    expect([holiday.start, holiday.end]).toEqual(['2030-01-08T00:00:00+00:00', '2030-01-10T00:00:00+00:00']);
    expect(datesOf(holiday)).toEqual({ first: '2030-01-08', last: '2030-01-09' });
    expect(days.map((day) => isOnDay(holiday, day))).toEqual([false, true, true, false, false, false, false]);
    expect(placeDay([holiday], days[1]!)).toEqual([]);
  });

  test('moves by days, and its end not before its start', () => {
    const holiday = entry('holiday', wholeDays('2030-01-31', '2030-02-01'));
    expect(shiftedDates(holiday, 1)).toEqual(wholeDays('2030-02-01', '2030-02-02'));
    expect(shiftedDates(holiday, 1, true)).toEqual(wholeDays('2030-01-31', '2030-02-02'));
    expect(shiftedDates(holiday, -5, true)).toEqual(wholeDays('2030-01-31', '2030-01-31'));
  });

  test('shares a line above the grid only with entries of other days', () => {
    const placed = placeAllDay(
      [
        entry('before', wholeDays('2030-01-01', '2030-01-06')),
        entry('long', wholeDays('2030-01-05', '2030-01-09')),
        entry('a', wholeDays('2030-01-09', '2030-01-09')),
        entry('b', wholeDays('2030-01-10', '2030-01-20')),
      ],
      days,
    );
    expect(placed.map(({ entry: { id }, from, to, line }) => [id, from, to, line])).toEqual([
      ['long', 0, 2, 0],
      ['a', 2, 2, 1],
      ['b', 3, 6, 0],
    ]);
  });

  test('comes before entries with a time', () => {
    const at = (hour: number) => withOffset(new Date(2030, 0, 8, hour));
    const timed = entry('timed', { start: at(1), end: at(2) }, false);
    const late = entry('late', wholeDays('2030-01-08', '2030-01-08'));
    expect([timed, late].sort(byStart).map(({ id }) => id)).toEqual(['late', 'timed']);
    // An entry that ends at midnight is not on the next day.
    expect(datesOf(entry('evening', { start: at(20), end: at(24) }, false)).last).toBe('2030-01-08');
  });
});

describe('The month', () => {
  test('has six weeks from the Monday before its first day', () => {
    const weeks = monthOf(new Date(2030, 1, 14));
    expect([weeks.length, weeks[0]![0]!.key, weeks[5]![6]!.key]).toEqual([6, '2030-01-28', '2030-03-10']);
  });

  test('turns to the same day or the last one', () => {
    expect(dayKey(addMonths(new Date(2030, 0, 31), 1))).toBe('2030-02-28');
    expect(dayKey(addMonths(new Date(2030, 0, 15), -1))).toBe('2029-12-15');
  });
});
