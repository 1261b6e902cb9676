import type { LeaseHolder, Problem } from '@dunlin/client';
import { labelOf } from '../api/fields';

/** Returns the text that explains why an edit was reverted. */
export function refusalWords(
  field: string,
  serviceNo: string | undefined,
  problem: Problem,
  userId: string,
): string {
  const what = serviceNo === undefined ? labelOf(field) : `${labelOf(field)} of ${serviceNo}`;
  switch (problem.kind) {
    case 'held':
      return `${what} is locked by ${holderName(problem.holder, userId)}. Your change was not saved.`;
    case 'lost':
      return problem.reason === 'taken'
        ? `Somebody else took over ${what}. Your change was not saved.`
        : `Your lock on ${what} had ended, so your change was not saved.`;
    case 'conflict':
      return `${what} was not saved: ${problem.title}`;
    case 'invalid':
      return `${what} was not saved: ${problemWords(problem)}`;
    case 'notFound':
      return `${what} was not saved: the case was deleted.`;
    case 'forbidden':
      return `${what} was not saved: you may not edit it.`;
    default:
      return `${what} was not saved: ${problemWords(problem)}`;
  }
}

export function problemWords(problem: Problem): string {
  if (problem.kind === 'network') return 'the server cannot be reached.';
  if (problem.kind === 'held') return `it is locked by ${holderName(problem.holder, '')}.`;
  if (problem.status === 500) return 'the server reported an error.';
  const said = problem.detail?.['detail'];
  const text = typeof said === 'string' ? said : problem.title;
  // The server names fields by their wire names.
  return text.replace(/^'([A-Za-z]+)'/, (_, name: string) => labelOf(name));
}

function holderName(holder: unknown, userId: string): string {
  const owner = (holder as LeaseHolder | undefined)?.owner ?? (holder as LeaseHolder['owner']);
  if (owner?.userId !== undefined && owner.userId === userId) return 'you in another tab';
  return owner?.name ?? 'somebody else';
}
