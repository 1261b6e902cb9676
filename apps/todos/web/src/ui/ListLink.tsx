import type { TodoList } from '../state/mutators';
import { Icon } from './Icon';

interface Props {
  readonly list: TodoList;
  readonly onOpen: (place: string) => void;
}

/** The list of an entry that is shown outside of it. */
export function ListLink({ list, onOpen }: Props) {
  return (
    <a
      className="entry-list muted"
      href={`/todos/${encodeURIComponent(list.id)}`}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey) return;
        event.preventDefault();
        onOpen(list.id);
      }}
    >
      <Icon name={list.kind === 'shopping' ? 'cart' : 'list'} /> {list.name}
    </a>
  );
}
