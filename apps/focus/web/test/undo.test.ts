import type { Environment } from '@dunlin/client';
import { beforeEach, describe, expect, test } from 'vitest';
import { Undo } from '../src/state/undo';

let shown: string[];
let reverted: string[];
let timers: (() => void)[];
let undo: Undo;

beforeEach(() => {
  [shown, reverted, timers] = [[], [], []];
  const environment = {
    setTimer: (_: number, callback: () => void) => (timers.push(callback), () => {}),
  } as unknown as Environment;
  undo = new Undo(environment, (text) => {
    shown.push(text);
    return () => (shown = shown.filter((each) => each !== text));
  });
});

describe('An offer to undo', () => {
  test('reverts once and removes its notice', () => {
    undo.offer('deleted', () => reverted.push('deleted'));
    expect([undo.run(), undo.run()]).toEqual([true, false]);
    expect([reverted, shown]).toEqual([['deleted'], []]);
  });

  test('is replaced by the next one and ends after its time', () => {
    undo.offer('first', () => reverted.push('first'));
    undo.offer('second', () => reverted.push('second'));
    expect(shown).toEqual(['second']);
    timers[1]!();
    expect([undo.run(), reverted, shown]).toEqual([false, [], []]);
  });
});
