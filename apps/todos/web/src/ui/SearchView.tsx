import { useEffect, useRef, useState } from 'react';
import { MAX_RESULTS, readEntries, search } from '../state/entries';
import type { TodoList } from '../state/mutators';
import type { TodosStore } from '../state/todosStore';
import { focusRow, onEntryKey } from './entryKeys';
import { EntryRow } from './EntryRow';
import { useQuery, useToday } from './hooks';
import { Icon } from './Icon';
import { ListLink } from './ListLink';
import { ViewHead } from './ViewHead';

interface Props {
  readonly store: TodosStore;
  readonly lists: readonly TodoList[];
  readonly onOpen: (place: string | undefined) => void;
}

/** A search over the entries of all lists. The address holds the text, so a reload and the back button keep it. */
export function SearchView({ store, lists, onOpen }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const today = useToday();
  const [text, setText] = useState(() => new URLSearchParams(location.search).get('q') ?? '');
  const entries = useQuery(store, (tx) => readEntries(tx, 'task/', 'item/'), 'all');
  const found = entries && search(text, entries, lists);
  const change = (typed: string) => {
    setText(typed);
    const query = typed === '' ? '' : `?${new URLSearchParams({ q: typed }).toString()}`;
    history.replaceState(null, '', location.pathname + query);
  };
  useEffect(() => field.current!.focus(), []);
  return (
    <>
      <ViewHead title="Search" onBack={() => onOpen(undefined)} />
      <div className="new-entry" role="search">
        <Icon name="search" />
        <input
          ref={field}
          type="search"
          aria-label="Search all lists"
          placeholder="Search all lists"
          maxLength={300}
          value={text}
          onChange={(event) => change(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return;
            event.preventDefault();
            focusRow(document.querySelector('.entries [data-task]'));
          }}
        />
      </div>
      <p className="entries-count muted" role="status" data-results={found?.length ?? ''}>
        {text.trim() !== '' && found && countWord(found.length)}
      </p>
      <ul className="entries" aria-label="Results" onKeyDown={(event) => onEntryKey(event, {})}>
        {found?.map((entry) => (
          <EntryRow key={`${entry.listId}/${entry.id}`} store={store} entry={entry} today={today}>
            <ListLink list={lists.find(({ id }) => id === entry.listId)!} onOpen={onOpen} />
          </EntryRow>
        ))}
      </ul>
    </>
  );
}

function countWord(count: number): string {
  if (count === 0) return 'Nothing found.';
  if (count === MAX_RESULTS) return `The first ${MAX_RESULTS} results. Type more to find fewer.`;
  return count === 1 ? '1 result' : `${count} results`;
}
