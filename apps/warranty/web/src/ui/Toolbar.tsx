import { useEffect, useState } from 'react';
import { fields } from '../api/fields';
import { branchAddress, goToBranch } from './address';
import { useBranchStore, useWarranty } from './context';
import { Icon } from './Icon';

const SEARCH_DELAY_MS = 300;

export function Toolbar({ onNew }: { readonly onNew: () => void }) {
  const isUsable = useWarranty((state) => state.problem === undefined);
  return (
    <div className="toolbar" role="search">
      <BranchSwitcher />
      <span className="toolbar-space" />
      {isUsable && (
        <>
          <Search />
          <SortMenu />
          <button type="button" className="button button-primary" onClick={onNew}>
            <Icon name="plus" />
            New case
          </button>
        </>
      )}
    </div>
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
            goToBranch(id);
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
  const store = useBranchStore();
  const searched = useWarranty((state) => state.query.search);
  const branchId = useWarranty((state) => state.branchId);
  const [text, setText] = useState(searched);
  // Another branch, or a new case, resets the search.
  useEffect(() => setText(searched), [searched, branchId]);
  useEffect(() => {
    if (text.trim() === searched) return;
    const timer = setTimeout(() => store.show({ search: text.trim() }), SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [store, text, searched]);
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
          if (event.key === 'Enter') store.show({ search: text.trim() });
        }}
      />
    </label>
  );
}

/** Replaces the column headers on phones. */
function SortMenu() {
  const store = useBranchStore();
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
      <select className="input" value={sort} onChange={(event) => store.show({ sort: event.target.value })}>
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
