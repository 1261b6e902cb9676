import { useRef } from 'react';
import type { TodosStore } from '../state/todosStore';
import { MAX_LISTS, type Invitation } from '../state/mutators';
import { useQuery } from './hooks';
import { Icon } from './Icon';

interface Props {
  readonly store: TodosStore;
  readonly listCount: number;
}

/** Invitations to other users' lists. The browser receives no data of a list before the user accepts. */
export function Invitations({ store, listCount }: Props) {
  const section = useRef<HTMLElement>(null);
  const invitations = useQuery(
    store,
    async (tx) => (await tx.scan({ prefix: 'invitation/' }).values().toArray()) as unknown as Invitation[],
    'invitations',
  )?.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const isFull = listCount >= MAX_LISTS;

  // The focused button disappears with its invitation, so move the focus to the section.
  const answer = (mutation: Promise<void>) => {
    section.current?.focus();
    void mutation;
  };

  return (
    <section
      className="invitations"
      aria-label="Invitations"
      aria-live="polite"
      data-invitations={invitations?.length ?? ''}
      ref={section}
      tabIndex={-1}
    >
      {invitations?.map(({ id, name, kind, from }) => (
        <div key={id} className="invitation" data-invitation={id}>
          <p>
            <Icon name={kind === 'shopping' ? 'cart' : 'list'} />
            <span>
              <strong>{from.name}</strong> invites you to <strong>{name}</strong>
            </span>
          </p>
          <div className="invitation-answers">
            <button
              type="button"
              className="button button-small"
              disabled={isFull}
              aria-label={`Accept the invitation to ${name}`}
              onClick={() => answer(store.rep.mutate.acceptInvitation({ id }))}
            >
              Accept
            </button>
            <button
              type="button"
              className="button button-small"
              aria-label={`Decline the invitation to ${name}`}
              onClick={() => answer(store.rep.mutate.declineInvitation({ id }))}
            >
              Decline
            </button>
          </div>
        </div>
      ))}
      {isFull && !!invitations?.length && (
        <p className="muted">You have {MAX_LISTS} lists, which is the limit. Delete or leave one first.</p>
      )}
    </section>
  );
}
