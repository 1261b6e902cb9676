import { EditorState } from '@codemirror/state';
import { expect, test } from 'vitest';
import { lineBreakOf, withLineBreaks } from '../src/ui/editor';

test.each([
  '',
  '<a/>',
  '<a>\n</a>\n',
  '<a>\r\n</a>\r\n',
  '<a>\r\n</a>\n',
  '\n\r\n',
  '\r\n\n',
  '<a>\r</a>\n',
  '\uFEFF<a>\r\n</a>',
])('A text comes out of the editor as it went in: %j', (text) => {
  const state = EditorState.create({
    doc: text,
    extensions: EditorState.lineSeparator.of(lineBreakOf(text)),
  });
  expect(state.sliceDoc()).toBe(text);
});

test('A pasted text gets the line breaks of the document', () => {
  expect(withLineBreaks('a\r\nb\nc\rd', '\n')).toBe('a\nb\nc\nd');
  expect(withLineBreaks('a\r\nb\nc', '\r\n')).toBe('a\r\nb\r\nc');
});
