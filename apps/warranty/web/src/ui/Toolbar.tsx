import { useCallback, useEffect, useState } from 'react';
import { fields } from '../api/fields';
import { firstQuery } from '../state/state';
import { branchAddress, goTo } from './address';
import { useShow, useWarranty } from './context';
import { ColumnMenu } from './ColumnMenu';
import { Filters } from './Filters';
import { Icon } from './Icon';
import { Popover } from './Popover';
import { Presence } from './Presence';
import { useIsPhone } from './useRows';

const SEARCH_DELAY_MS = 300;

export type ToolbarDialog = 'new' | 'export' | 'import';

export function Toolbar({ onDialog }: { readonly onDialog: (dialog: ToolbarDialog) => void }) {
  const isUsable = useWarranty((state) => state.problem === undefined);
  // Cards have no columns.
  const isPhone = useIsPhone();
  return (
    <div className="toolbar" role="search">
      <BranchSwitcher />
      <Presence />
      <span className="toolbar-space" />
      {isUsable && (
        <>
          <Search />
          <SortMenu />
          <Filters />
          {!isPhone && <ColumnMenu />}
          <Popover label="More" icon="more">
            <div className="menu-list">
              <MenuButton text="Export as CSV" onClick={() => onDialog('export')} />
              <MenuButton text="Import CSV" onClick={() => onDialog('import')} />
            </div>
          </Popover>
          <button type="button" className="button button-primary" onClick={() => onDialog('new')}>
            <Icon name="plus" />
            New case
          </button>
        </>
      )}
    </div>
  );
}

function MenuButton({ text, onClick }: { readonly text: string; readonly onClick: () => void }) {
  return (
    <button
      type="button"
      className="menu-item"
      onClick={(event) => {
        event.currentTarget.closest<HTMLElement>('[popover]')?.hidePopover();
        onClick();
      }}
    >
      {text}
    </button>
  );
}

function BranchSwitcher() {
  const branches = useWarranty((state) => state.branches);
  const current = useWarranty((state) => state.branchId);
  return (
    <nav className="branches" aria-label="Branches">
      {branches.map(({ id, name, code }) => (
        <a
          key={id}
          href={branchAddress(id)}
          data-branch={id}
          aria-current={id === current ? 'page' : undefined}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            goTo({ branchId: id, query: firstQuery });
          }}
        >
          {name}
          <small>{code}</small>
        </a>
      ))}
    </nav>
  );
}

function Search() {
  const show = useShow();
  const searched = useWarranty((state) => state.query.search);
  const branchId = useWarranty((state) => state.branchId);
  const [text, setText] = useState(searched);
  // Another branch, a new case, and the browser's Back button change the search. A space at the end of the typed text stays.
  useEffect(() => setText((typed) => (typed.trim() === searched ? typed : searched)), [searched, branchId]);
  // One search is one entry of the browser's history, however long the user types.
  const search = useCallback(
    (typed: string) => {
      if (typed.trim() !== searched) show({ search: typed.trim() }, searched !== '' && typed.trim() !== '');
    },
    [show, searched],
  );
  useEffect(() => {
    const timer = setTimeout(() => search(text), SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [search, text]);
  return (
    <label className="search">
      <Icon name="search" />
      <span className="visually-hidden">Search cases</span>
      <input
        type="search"
        className="input"
        placeholder="Search cases"
        maxLength={100}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') search(text);
        }}
      />
    </label>
  );
}

/** Replaces the column headers on phones. */
function SortMenu() {
  const show = useShow();
  const sort = useWarranty((state) => state.query.sort);
  const options = [
    ['-createdAt', 'Newest first'],
    ['createdAt', 'Oldest first'],
    ['serviceNo', 'Service no.'],
    ...fields.filter((field) => field.isSortable).map((field) => [field.name, field.label] as const),
  ] as const;
  return (
    <label className="sort-menu">
      <span className="visually-hidden">Sort by</span>
      <select className="input" value={sort} onChange={(event) => show({ sort: event.target.value })}>
        {!options.some(([value]) => value === sort) && <option value={sort}>{sort}</option>}
        {options.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
