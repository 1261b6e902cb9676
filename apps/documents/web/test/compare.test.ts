// @vitest-environment happy-dom
import { Chunk } from '@codemirror/merge';
import { EditorState, Text } from '@codemirror/state';
import { expect, test } from 'vitest';
import { takenChange } from '../src/ui/compare';
import { differenceOf } from '../src/ui/editor';

const texts: readonly string[] = [
  '',
  'one',
  'one\n',
  'one\ntwo\nthree',
  'one\nTWO\nthree',
  'zero\none\ntwo\nthree\n',
  'three',
  'one\n\n\ntwo',
];

test.each(texts.flatMap((other) => texts.map((text) => [other, text] as const)))(
  'Taking all changes of %j into %j gives the other text',
  (other, text) => {
    const a = Text.of(other.split('\n'));
    let state = EditorState.create({ doc: text });
    for (let round = 0; round < 20; round++) {
      const [chunk] = Chunk.build(a, state.doc);
      if (!chunk) break;
      state = state.update({ changes: takenChange(chunk, a, state.doc) }).state;
    }
    expect(state.doc.toString()).toBe(other);
  },
);

test.each(texts.flatMap((before) => texts.map((after) => [before, after] as const)))(
  'The difference of %j and %j turns one into the other',
  (before, after) => {
    const { from, to, end } = differenceOf(before, after);
    expect(before.slice(0, from) + after.slice(from, end) + before.slice(to)).toBe(after);
  },
);
