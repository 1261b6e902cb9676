import { fold } from '@dunlin/kit';
import type { Person } from '../api/people';
import { invitedTo, type TodoList } from './mutators';

/** Maximum of people in the picker. */
const MAX_OFFERED = 8;

/** Returns the people to offer for an invitation: those whose name or user name has the typed text, without members and invited users. */
export function offeredFor(list: TodoList, known: readonly Person[], typed: string): readonly Person[] {
  const wanted = fold(typed.trim());
  const members = new Set(list.members.map(({ id }) => id));
  const invited = new Set(invitedTo(list).map(({ username }) => fold(username)));
  return known
    .filter(({ userId, username }) => !members.has(userId) && !invited.has(fold(username)))
    .filter(({ username, name }) => fold(`${name} ${username}`).includes(wanted))
    .slice(0, MAX_OFFERED);
}
