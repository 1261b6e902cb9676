/**
 * A text made comparable without case and without regard to how it is composed, as the server does it (`FoldedText`): what is typed
 * finds what another has typed.
 */
export function fold(text: string): string {
  // Upper case first, because only that spreads a sharp s; the final sigma is a form of the letter and not another one.
  return text.normalize('NFD').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFD');
}
