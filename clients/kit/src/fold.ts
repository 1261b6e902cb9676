/** Folds case and Unicode composition for comparisons, with the same result as `FoldedText` on the server. */
export function fold(text: string): string {
  // Upper case first: only `toUpperCase` expands a sharp s to `SS`. A final sigma is the same letter as σ.
  return text.normalize('NFD').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFD');
}
