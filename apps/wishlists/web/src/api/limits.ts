import shared from '../../../limits.json';

/** The limits of user input. The server is built with the same file. Lengths are in UTF-16 code units, as in C#. */
export const limits = shared;

/** Returns a text as the server stores a name or a title: one line without control characters and lone surrogates. */
export function oneLine(text: string): string {
  return wellFormed(text)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
}

/** Returns a text as the server stores a description: control characters are removed, except line breaks and tabs. */
export function manyLines(text: string): string {
  return wellFormed(text)
    .replace(/(?![\n\r\t])\p{Cc}/gu, '')
    .trim();
}

/** Returns the number of characters beyond the limit. */
export function excessOf(text: string, limit: number): number {
  return Math.max(0, text.length - limit);
}

/** Returns the number of characters left when it is worth showing: for a fifth of a short limit, and the last 200 of a long one. */
export function leftOf(text: string, limit: number): number | undefined {
  const left = limit - text.length;
  return left >= 0 && left <= Math.min(200, limit / 5) ? left : undefined;
}

// The server refuses JSON with half a surrogate pair.
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\uFFFD');
}
