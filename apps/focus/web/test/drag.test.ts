import { describe, expect, test } from 'vitest';
import {
  createdSpan,
  lengthenedSpan,
  movedSpan,
  resizedSpan,
  shiftedSpan,
  type Span,
} from '../src/state/drag';
import { withOffset, weekOf } from '../src/state/week';

const days = weekOf(new Date(2030, 0, 7));
const spot = (day: number, hour: number, minute = 0) => ({ day: days[day]!, minutes: hour * 60 + minute });
const at = (day: number, hour: number, minute = 0) => new Date(2030, 0, 7 + day, hour, minute);
const text = ({ start, end }: Span) => [start, end].map((date) => withOffset(date).slice(8, 16)).join(' ');

describe('A drag in the calendar', () => {
  test('creates from where it began to where it ended, in quarter hours', () => {
    expect(text(createdSpan(spot(1, 9, 4), spot(1, 11, 2)))).toBe('08T09:00 08T11:00');
    expect(text(createdSpan(spot(1, 11, 10), spot(1, 9)))).toBe('08T09:00 08T11:15');
    expect(text(createdSpan(spot(1, 9, 5), spot(1, 9, 6)))).toBe('08T09:00 08T09:15');
    expect(text(createdSpan(spot(1, 23), spot(2, 24)))).toBe('08T23:00 09T00:00');
  });

  test('moves by the distance from the grabbed point and keeps the duration', () => {
    const span = { start: at(1, 9), end: at(1, 10, 30) };
    expect(text(movedSpan(span, spot(1, 10, 20), spot(3, 12, 24)))).toBe('10T11:00 10T12:30');
    expect(text(movedSpan(span, spot(1, 10), spot(0, 8)))).toBe('07T07:00 07T08:30');
    expect(movedSpan(span, spot(1, 10), spot(1, 10, 3))).toBe(span);
    const odd = { start: at(1, 9, 5), end: at(1, 9, 25) };
    expect(text(movedSpan(odd, spot(1, 9, 10), spot(2, 9, 12)))).toBe('09T09:05 09T09:25');
  });

  test('moves an event over midnight by the day that was grabbed', () => {
    const night = { start: at(1, 22), end: at(2, 2) };
    expect(text(movedSpan(night, spot(2, 1), spot(3, 2)))).toBe('09T23:00 10T03:00');
  });

  test('resizes the end and keeps a quarter of an hour', () => {
    const span = { start: at(1, 9), end: at(1, 10) };
    expect(text(resizedSpan(span, spot(1, 12, 5)))).toBe('08T09:00 08T12:00');
    expect(text(resizedSpan(span, spot(1, 7)))).toBe('08T09:00 08T09:15');
    expect(text(resizedSpan(span, spot(2, 1)))).toBe('08T09:00 09T01:00');
  });

  test('has the same steps by keyboard', () => {
    const span = { start: at(1, 9), end: at(1, 10) };
    expect(text(shiftedSpan(span, 0, -15))).toBe('08T08:45 08T09:45');
    expect(text(shiftedSpan(span, 1, 0))).toBe('09T09:00 09T10:00');
    expect(text(lengthenedSpan(span, 15))).toBe('08T09:00 08T10:15');
    expect(text(lengthenedSpan({ start: at(1, 9), end: at(1, 9, 20) }, -15))).toBe('08T09:00 08T09:15');
  });
});
