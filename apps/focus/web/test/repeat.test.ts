import { describe, expect, test } from 'vitest';
import { repeatOf, repeatText, ruleOf } from '../src/state/repeat';

describe('The repetition of an event', () => {
  test.each([
    'FREQ=DAILY',
    'FREQ=WEEKLY;INTERVAL=2;COUNT=5',
    'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
    'FREQ=MONTHLY;UNTIL=20300301',
    'FREQ=YEARLY;INTERVAL=4',
  ])('%s is read and written without a change', (rule) => {
    expect(ruleOf(repeatOf(rule), true)).toBe(rule);
  });

  test('keeps a rule that the form cannot express', () => {
    for (const rule of ['FREQ=MONTHLY;BYMONTHDAY=-1', 'FREQ=WEEKLY;BYDAY=TU,TH', 'FREQ=DAILY;WKST=SU']) {
      expect(repeatOf(rule).kind).toBe('custom');
      expect(repeatText(rule)).toContain(rule);
    }
    expect(ruleOf(repeatOf(null), false)).toBe(null);
  });

  test('ends with the local day, which the rule names in UTC', () => {
    const rule = ruleOf({ kind: 'daily', interval: 1, until: '2030-03-01', count: 0 }, false)!;
    const end = new Date('2030-03-01T23:59:59').toISOString().slice(0, 19).replace(/[-:]/g, '');
    expect(rule).toBe(`FREQ=DAILY;UNTIL=${end}Z`);
  });

  test('is described in words', () => {
    expect(repeatText('FREQ=WEEKLY;INTERVAL=2;COUNT=5')).toBe('every 2 weeks, 5 times');
    expect(repeatText('FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR')).toBe('every weekday');
    expect(repeatText(null)).toBe('');
  });
});
