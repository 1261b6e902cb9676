import { useEffect, useState, type FormEvent } from 'react';
import type { Person } from '../api/people';
import { invitedTo, MAX_MEMBERS, type TodoList } from '../state/mutators';
import { offeredFor } from '../state/people';
import type { TodosStore } from '../state/todosStore';
import { PeoplePicker } from './PeoplePicker';

interface Props {
  readonly store: TodosStore;
  readonly list: TodoList;
  readonly me: string;
  readonly onLeft: () => void;
}

/** The members of a list and, for its owner, invitations. */
export function Sharing({ store, list, me, onLeft }: Props) {
  const isOwner = list.owner.id === me;
  return (
    <section className="sharing" aria-label="Who sees this list">
      <ul>
        {list.members.map(({ id, name }) => (
          <li key={id} data-member={id}>
            <span>{name}</span>
            {id === list.owner.id ? (
              <small className="muted">owner</small>
            ) : (
              (isOwner || id === me) && (
                <button
                  type="button"
                  className="button button-small"
                  onClick={() => {
                    void store.rep.mutate.unshareList({ id: list.id, userId: id });
                    if (id === me) onLeft();
                  }}
                >
                  {id === me ? 'Leave' : 'Remove'}
                </button>
              )
            )}
          </li>
        ))}
        {invitedTo(list).map(({ username }) => (
          <li key={`invited ${username}`} data-invited={username}>
            <span>{username}</span>
            <small className="muted">invited</small>
            {isOwner && (
              <button
                type="button"
                className="button button-small"
                aria-label={`Withdraw the invitation of ${username}`}
                onClick={() => void store.rep.mutate.withdrawInvitation({ id: list.id, username })}
              >
                Withdraw
              </button>
            )}
          </li>
        ))}
      </ul>
      {isOwner && <Invite store={store} list={list} />}
    </section>
  );
}

function Invite({ store, list }: { store: TodosStore; list: TodoList }) {
  const [username, setUsername] = useState('');
  const [known, setKnown] = useState<readonly Person[]>([]);
  const [note, setNote] = useState<{ readonly text: string; readonly isError: boolean }>();
  const [isChecking, setChecking] = useState(false);
  const isFull = list.members.length + invitedTo(list).length >= MAX_MEMBERS;

  useEffect(() => {
    let isOpen = true;
    // Without a network nobody is offered. A user name can still be typed.
    store.people
      .known()
      .then((people) => isOpen && setKnown(people))
      .catch(() => {});
    return () => void (isOpen = false);
  }, [store]);

  const invite = async (typed: string) => {
    const person = await store.people.find(typed).catch(() => 'unknown' as const);
    if (person === undefined) return setNote({ text: `There is no user “${typed}”.`, isError: true });
    if (person !== 'unknown' && list.members.some(({ id }) => id === person.userId))
      return setNote({ text: `${person.name} sees this list already.`, isError: true });
    setUsername('');
    setNote(
      person === 'unknown'
        ? {
            text: `“${typed}” could not be checked. The invitation is sent if there is such a user.`,
            isError: false,
          }
        : { text: `${person.name} is invited.`, isError: false },
    );
    await store.rep.mutate.shareList({
      id: list.id,
      username: person === 'unknown' ? typed : person.username,
    });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const typed = username.trim();
    if (!typed || isFull || isChecking) return;
    setChecking(true);
    void invite(typed).finally(() => setChecking(false));
  };

  return (
    <>
      <form onSubmit={submit}>
        <PeoplePicker
          value={username}
          offered={offeredFor(list, known, username)}
          describedBy="sharing-note"
          onChange={(typed) => {
            setUsername(typed);
            setNote(undefined);
          }}
        />
        <button type="submit" className="button" disabled={!username.trim() || isFull || isChecking}>
          Invite
        </button>
      </form>
      <p className={note?.isError ? 'sharing-error' : 'muted'} id="sharing-note" role="status">
        {isFull
          ? `A list has ${MAX_MEMBERS} members at most, those who are invited included.`
          : (note?.text ?? 'Invited users see the list once they accept.')}
      </p>
    </>
  );
}
