import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CalendarEntry } from '../src/api/focus';
import { dayKey, instantOf, mondayOf, placeDay, timeKey, weekOf, withOffset } from '../src/state/week';

// Sets the time zone of this process. Each test file runs in its own process.
const before = process.env['TZ'];
const zone = (name: string) => {
  beforeEach(() => {
    process.env['TZ'] = name;
    const known = new Intl.DateTimeFormat(undefined, { timeZone: name }).resolvedOptions().timeZone;
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(known);
  });
};
afterEach(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

const typed = (day: string, time: string, after?: Date) => withOffset(instantOf(day, time, after));
const entry = (start: string, end: string): CalendarEntry => ({
  id: start,
  title: start,
  notes: '',
  start,
  end,
  isAllDay: false,
  color: '',
  taskId: null,
  recurrence: null,
  timeZone: null,
  seriesId: null,
  version: 1,
});

/** Returns the position of an entry on a day, as `[from, to]` in hours. */
function rows(key: string, start: string, end: string): (readonly [number, number])[] {
  const [year, month, date] = key.split('-').map(Number) as [number, number, number];
  const day = weekOf(mondayOf(new Date(year, month - 1, date, 12))).find((each) => each.key === key)!;
  return placeDay([entry(start, end)], day).map(({ from, to }) => [from / 60, to / 60]);
}

describe('Europe/Berlin', () => {
  zone('Europe/Berlin');

  test('a skipped time moves later by the skipped duration', () => {
    expect(typed('2026-03-29', '02:30')).toBe('2026-03-29T03:30:00+02:00');
    expect(typed('2026-03-29', '01:59')).toBe('2026-03-29T01:59:00+01:00');
    expect(typed('2026-03-29', '02:00')).toBe('2026-03-29T03:00:00+02:00');
    expect(typed('2026-03-29', '03:00')).toBe('2026-03-29T03:00:00+02:00');
  });

  test('an event that ends at a skipped time has a positive duration', () => {
    const start = instantOf('2026-03-29', '01:30');
    const end = instantOf('2026-03-29', '02:30', start);
    expect(end.getTime() - start.getTime()).toBe(3_600_000);
  });

  test('a repeated time is the first one, or the one after the start', () => {
    expect(typed('2026-10-25', '02:30')).toBe('2026-10-25T02:30:00+02:00');
    expect(typed('2026-10-25', '02:15', instantOf('2026-10-25', '02:30'))).toBe('2026-10-25T02:15:00+01:00');
    expect(typed('2026-10-25', '02:45', new Date('2026-10-25T02:30:00+01:00'))).toBe(
      '2026-10-25T02:45:00+01:00',
    );
    expect(typed('2026-10-25', '02:45', new Date('2026-10-25T02:50:00+01:00'))).toBe(
      '2026-10-25T02:45:00+02:00',
    );
    expect(typed('2026-10-25', '01:00', instantOf('2026-10-25', '02:30'))).toBe('2026-10-25T01:00:00+02:00');
  });

  test('the grid shows local times on days of 23 and 25 hours', () => {
    expect(rows('2026-03-29', '2026-03-29T09:00:00+02:00', '2026-03-29T10:00:00+02:00')).toEqual([[9, 10]]);
    expect(rows('2026-10-25', '2026-10-25T09:00:00+01:00', '2026-10-25T10:00:00+01:00')).toEqual([[9, 10]]);
    expect(rows('2026-10-25', '2026-10-25T23:15:00+01:00', '2026-10-26T00:15:00+01:00')).toEqual([
      [23.25, 24],
    ]);
    expect(rows('2026-03-29', '2026-03-28T22:00:00+01:00', '2026-03-29T04:00:00+02:00')).toEqual([[0, 4]]);
    expect(rows('2026-03-29', '2026-03-29T22:00:00+02:00', '2026-03-30T04:00:00+02:00')).toEqual([[22, 24]]);
  });

  test('an event over the repeated hour keeps its height', () => {
    expect(rows('2026-10-25', '2026-10-25T02:30:00+02:00', '2026-10-25T02:15:00+01:00')).toEqual([
      [2.5, 3.25],
    ]);
    expect(rows('2026-10-25', '2026-10-25T02:30:00+02:00', '2026-10-25T02:30:00+01:00')).toEqual([
      [2.5, 3.5],
    ]);
    expect(rows('2026-10-25', '2026-10-25T02:30:00+01:00', '2026-10-25T03:00:00+01:00')).toEqual([[2.5, 3]]);
  });
});

describe('Africa/Cairo', () => {
  zone('Africa/Cairo');

  test('a skipped time after midnight stays on its day', () => {
    expect(typed('2026-04-24', '00:15')).toBe('2026-04-24T01:15:00+03:00');
    expect(dayKey(instantOf('2026-04-24', '00:00'))).toBe('2026-04-24');
    const week = weekOf(mondayOf(new Date(2026, 3, 24)));
    expect(week.map(({ key }) => key)).toEqual([20, 21, 22, 23, 24, 25, 26].map((date) => `2026-04-${date}`));
    expect(week.map(({ start }) => timeKey(start))).toEqual([
      '00:00',
      '00:00',
      '00:00',
      '00:00',
      '01:00',
      '00:00',
      '00:00',
    ]);
    expect(rows('2026-04-24', '2026-04-24T01:15:00+03:00', '2026-04-24T02:00:00+03:00')).toEqual([[1.25, 2]]);
  });
});

describe('Australia/Lord_Howe', () => {
  zone('Australia/Lord_Howe');

  test('half an hour is skipped and repeated', () => {
    expect(typed('2026-10-04', '02:15')).toBe('2026-10-04T02:45:00+11:00');
    expect(typed('2026-04-05', '01:45')).toBe('2026-04-05T01:45:00+11:00');
    expect(typed('2026-04-05', '01:45', instantOf('2026-04-05', '01:50'))).toBe('2026-04-05T01:45:00+10:30');
    expect(rows('2026-10-04', '2026-10-04T09:00:00+11:00', '2026-10-04T10:00:00+11:00')).toEqual([[9, 10]]);
  });
});

describe('America/Sao_Paulo', () => {
  zone('America/Sao_Paulo');

  test('days start at 1:00, and evenings repeat', () => {
    expect(typed('2018-11-04', '00:30')).toBe('2018-11-04T01:30:00-02:00');
    expect(weekOf(mondayOf(new Date(2018, 10, 4, 12))).at(-1)!.key).toBe('2018-11-04');
    expect(typed('2018-02-17', '23:30', instantOf('2018-02-17', '23:45'))).toBe('2018-02-17T23:30:00-03:00');
    expect(rows('2018-02-17', '2018-02-17T23:30:00-03:00', '2018-02-18T00:00:00-03:00')).toEqual([
      [23.5, 24],
    ]);
    expect(rows('2018-02-18', '2018-02-17T23:30:00-03:00', '2018-02-18T01:00:00-03:00')).toEqual([[0, 1]]);
  });
});

describe('Pacific/Apia', () => {
  zone('Pacific/Apia');

  test('a skipped date has its own key and contains nothing', () => {
    const week = weekOf(mondayOf(new Date(2011, 11, 28)));
    expect(week.map(({ key }) => key)).toEqual([
      '2011-12-26',
      '2011-12-27',
      '2011-12-28',
      '2011-12-29',
      '2011-12-30',
      '2011-12-31',
      '2012-01-01',
    ]);
    expect(rows('2011-12-30', '2011-12-29T23:00:00-10:00', '2011-12-31T01:00:00+14:00')).toEqual([]);
    expect(rows('2011-12-29', '2011-12-29T23:00:00-10:00', '2011-12-31T01:00:00+14:00')).toEqual([[23, 24]]);
    expect(rows('2011-12-31', '2011-12-29T23:00:00-10:00', '2011-12-31T01:00:00+14:00')).toEqual([[0, 1]]);
    expect(typed('2011-12-30', '09:00')).toBe('2011-12-31T09:00:00+14:00');
  });
});

describe.each([
  ['Asia/Kathmandu', '+05:45'],
  ['Asia/Kolkata', '+05:30'],
  ['America/St_Johns', '-02:30'],
])('%s', (name, offset) => {
  zone(name);

  test('offsets without whole hours', () => {
    expect(typed('2026-07-01', '09:00')).toBe(`2026-07-01T09:00:00${offset}`);
    expect(rows('2026-07-01', `2026-07-01T09:00:00${offset}`, `2026-07-01T10:00:00${offset}`)).toEqual([
      [9, 10],
    ]);
  });
});

describe('Europe/Amsterdam', () => {
  zone('Europe/Amsterdam');

  test('a historical offset with seconds keeps the instant', () => {
    const instant = instantOf('1935-01-05', '09:00');
    expect(Date.parse(withOffset(instant))).toBe(instant.getTime());
    expect(withOffset(instant)).toMatch(/^1935-01-05T/);
  });
});
