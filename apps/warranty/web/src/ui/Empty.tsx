import { firstQuery } from '../state/state';
import { useShow, useWarranty } from './context';
import { Icon } from './Icon';

/** Replaces the rows of an empty list. */
export function Empty() {
  const query = useWarranty((state) => state.query);
  const show = useShow();
  const { search, status, staff } = query;
  const isFiltered = status.length + staff.length > 0;
  if (search === '' && !isFiltered) {
    return (
      <div className="empty">
        <Icon name="table" />
        <h2>No cases yet</h2>
        <p className="muted">The first one begins with “New case”.</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <Icon name="search" />
      <h2>{search === '' ? 'No case matches the filters' : `Nothing found for “${search}”`}</h2>
      {isFiltered && search !== '' && <p className="muted">The filters are part of this search.</p>}
      <button type="button" className="button" onClick={() => show({ ...firstQuery, sort: query.sort })}>
        Show all cases
      </button>
    </div>
  );
}

export function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading cases">
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} />
      ))}
    </div>
  );
}
