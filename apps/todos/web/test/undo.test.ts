import type { Toast } from '@dunlin/kit';
import { beforeEach, expect, test } from 'vitest';
import { Undo } from '../src/state/undo';

let shown: Toast[];
let timers: (() => void)[];
let log: string[];
let undo: Undo;

const offer = (name: string) =>
  undo.offer(name, async () => {
    log.push(name);
  });

beforeEach(() => {
  [shown, timers, log] = [[], [], []];
  undo = new Undo({
    show: (toast) => {
      shown.push(toast);
      return () => void (shown = shown.filter((each) => each !== toast));
    },
    environment: {
      setTimer: (_, callback) => {
        timers.push(callback);
        return () => void (timers = timers.filter((each) => each !== callback));
      },
    },
  });
});

test('an offer runs once, by its button or by the key, and is removed', async () => {
  offer('one');
  await shown[0]!.action!.run();
  await undo.undo();
  expect([log, shown, timers]).toEqual([['one'], [], []]);
});

test('the last offer replaces the one before', async () => {
  offer('one');
  offer('two');
  expect(shown.map(({ text }) => text)).toEqual(['two']);
  await undo.undo();
  expect(log).toEqual(['two']);
});

test('the key works after the toast has gone', async () => {
  offer('one');
  timers[0]!();
  expect(shown).toEqual([]);
  await undo.undo();
  expect(log).toEqual(['one']);
});

test('a closed page takes nothing back', async () => {
  offer('one');
  undo.dispose();
  await undo.undo();
  expect([log, shown, timers]).toEqual([[], [], []]);
});
