import { avatar } from '@dunlin/kit';
import { useEffect, useRef, useState } from 'react';
import type { TodosStore } from '../state/todosStore';
import { listKey, type Member, type TodoList } from '../state/mutators';
import { Editable } from './Editable';
import { Entries } from './Entries';
import { saveAbandoned } from './hooks';
import { Icon } from './Icon';
import { Sharing } from './Sharing';
import { BackButton } from './ViewHead';

interface Props {
  readonly store: TodosStore;
  readonly list: TodoList;
  readonly me: string;
  readonly onClose: () => void;
}

export function ListPanel({ store, list, me, onClose }: Props) {
  const [isSharing, setSharing] = useState(false);
  const isOwner = list.owner.id === me;
  const rename = (name: string) => store.rep.mutate.renameList({ id: list.id, name });
  return (
    <>
      <div className="panel-head">
        <BackButton onClick={onClose} />
        <Editable
          className="panel-title"
          label="Name of the list"
          value={list.name}
          maxLength={80}
          isReadOnly={!isOwner}
          onSave={rename}
          onAbandoned={(name) => saveAbandoned(store, listKey(list.id), name, rename)}
        />
        <Members members={list.members} />
        <button
          type="button"
          className="button button-small"
          aria-expanded={isSharing}
          onClick={() => setSharing(!isSharing)}
        >
          <Icon name="user" /> Share
        </button>
        {isOwner && (
          <button
            type="button"
            className="icon-button"
            title="Delete this list"
            aria-label="Delete this list"
            onClick={() => {
              if (!confirm(`Delete “${list.name}” for everybody?`)) return;
              void store.rep.mutate.deleteList({ id: list.id });
              onClose();
            }}
          >
            <Icon name="trash" />
          </button>
        )}
      </div>
      {isSharing && <Sharing store={store} list={list} me={me} onLeft={onClose} />}
      <Entries store={store} list={list} />
    </>
  );
}

function Members({ members }: { members: readonly Member[] }) {
  const place = useRef<HTMLSpanElement>(null);
  const names = members.map(({ name }) => name).join(', ');
  useEffect(
    () => place.current!.replaceChildren(...members.slice(0, 5).map(({ name }) => avatar(name))),
    [names],
  );
  return <span className="members" ref={place} title={names} />;
}
