import { useState } from 'react';
import type { TodosStore } from '../state/todosStore';
import { invitedTo, MAX_MEMBERS, type TodoList } from '../state/mutators';

export function Sharing({
  store,
  list,
  me,
  onLeft,
}: {
  store: TodosStore;
  list: TodoList;
  me: string;
  onLeft: () => void;
}) {
  const [username, setUsername] = useState('');
  const isOwner = list.owner.id === me;
  const invited = invitedTo(list);
  const isFull = list.members.length + invited.length >= MAX_MEMBERS;
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
        {invited.map(({ username: name }) => (
          <li key={`invited ${name}`} data-invited={name}>
            <span>{name}</span>
            <small className="muted">invited</small>
            {isOwner && (
              <button
                type="button"
                className="button button-small"
                aria-label={`Withdraw the invitation of ${name}`}
                onClick={() => void store.rep.mutate.withdrawInvitation({ id: list.id, username: name })}
              >
                Withdraw
              </button>
            )}
          </li>
        ))}
      </ul>
      {isOwner && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (username.trim() && !isFull)
              void store.rep.mutate.shareList({ id: list.id, username: username.trim() });
            setUsername('');
          }}
        >
          <input
            className="input"
            aria-label="User name to invite"
            placeholder="User name, such as bob"
            maxLength={64}
            aria-describedby="sharing-note"
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          <button type="submit" className="button" disabled={!username.trim() || isFull}>
            Invite
          </button>
        </form>
      )}
      {isOwner && (
        <p className="muted" id="sharing-note">
          {isFull
            ? `A list has ${MAX_MEMBERS} members at most, those who are invited included.`
            : 'Invited users see the list once they accept. An invitation looks the same here whether or not there is such a user.'}
        </p>
      )}
    </section>
  );
}
