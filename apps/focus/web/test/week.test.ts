import { describe, expect, test } from 'vitest';
import type { CalendarEntry } from '../src/api/focus';
import {
  addWeeks,
  dayKey,
  instantOf,
  mondayOf,
  placeDay,
  timeKey,
  weekOf,
  withOffset,
} from '../src/state/week';

const entry = (id: string, from: Date, to: Date): CalendarEntry => ({
  id,
  title: id,
  notes: '',
  start: from.toISOString(),
  end: to.toISOString(),
  isAllDay: false,
  color: '',
  taskId: null,
  recurrence: null,
  timeZone: null,
  seriesId: null,
  version: 1,
});
const day = weekOf(new Date(2030, 0, 7))[2]!;
const at = (hour: number, minute = 0) => new Date(2030, 0, 9, hour, minute);

describe('The week', () => {
  test('begins on Monday for every day', () => {
    for (let date = 7; date <= 13; date++)
      expect(dayKey(mondayOf(new Date(2030, 0, date, 23, 59)))).toBe('2030-01-07');
    expect(weekOf(new Date(2030, 0, 7)).map((each) => each.key)).toEqual([
      '2030-01-07',
      '2030-01-08',
      '2030-01-09',
      '2030-01-10',
      '2030-01-11',
      '2030-01-12',
      '2030-01-13',
    ]);
    expect(dayKey(addWeeks(new Date(2030, 0, 7), -1))).toBe('2029-12-31');
  });

  test('writes times with the local offset and reads back the same instant', () => {
    for (const month of [0, 6]) {
      const date = new Date(2030, month, 15, 9, 30);
      const text = withOffset(instantOf(dayKey(date), timeKey(date)));
      expect(text).toMatch(/^2030-0[17]-15T09:30:00[+-]\d\d:\d\d$/);
      expect(Date.parse(text)).toBe(date.getTime());
    }
  });

  test('places overlapping entries side by side and others in full width', () => {
    const placed = placeDay(
      [entry('c', at(14), at(15)), entry('a', at(9), at(11)), entry('b', at(10), at(12))],
      day,
    );
    expect(placed.map(({ entry: { id }, column, columns }) => [id, column, columns])).toEqual([
      ['a', 0, 2],
      ['b', 1, 2],
      ['c', 0, 1],
    ]);
    expect(placed[0]).toMatchObject({ from: 540, to: 660 });
  });

  test('keeps room for a title and clips an entry to its day', () => {
    const short = placeDay([entry('a', at(9), at(9, 5)), entry('b', at(9, 10), at(10))], day);
    expect(short.map(({ column }) => column)).toEqual([0, 1]);
    const [night] = placeDay([entry('night', at(-2), at(3))], day);
    expect(night).toMatchObject({ from: 0, to: 180 });
    expect(placeDay([entry('before', at(-5), at(0))], day)).toEqual([]);
  });
});
