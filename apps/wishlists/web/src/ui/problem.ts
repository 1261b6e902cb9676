import { problemOf } from '@dunlin/client';
import { has, t } from './i18n';

/** Returns a sentence in the language of the page about a failed request. The texts of the server are in English only. */
export function problemText(error: unknown): string {
  const { kind, code } = problemOf(error);
  if (kind === 'network') return t('needsNetwork');
  const key = `problem_${code}`;
  return t(has(key) ? key : 'problem_other');
}
