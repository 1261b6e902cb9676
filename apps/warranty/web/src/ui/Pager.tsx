import { PAGE_SIZE } from '../api/cases';
import { useShow, useWarranty } from './context';
import { Icon } from './Icon';

export function Pager() {
  const show = useShow();
  const page = useWarranty((state) => state.query.page);
  const total = useWarranty((state) => state.total);
  const pending = useWarranty((state) => state.pending.size);
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE));
  return (
    <footer className="pager">
      <span aria-live="polite">{total === 0 ? 'No cases' : total === 1 ? '1 case' : `${total} cases`}</span>
      <PendingCount count={pending} />
      <span className="toolbar-space" />
      {pages > 1 && (
        <nav aria-label="Pages" className="pages">
          <button
            type="button"
            className="icon-button"
            aria-label="Previous page"
            disabled={page <= 1}
            onClick={() => show({ page: page - 1 })}
          >
            <Icon name="left" />
          </button>
          <span>
            Page {page} of {pages}
          </span>
          <button
            type="button"
            className="icon-button"
            aria-label="Next page"
            disabled={page >= pages}
            onClick={() => show({ page: page + 1 })}
          >
            <Icon name="right" />
          </button>
        </nav>
      )}
    </footer>
  );
}

function PendingCount({ count }: { readonly count: number }) {
  const isLive = useWarranty((state) => state.connection.name === 'live');
  if (count === 0) return null;
  const what = count === 1 ? '1 change' : `${count} changes`;
  return (
    <span className="pending-count">
      {isLive ? `Saving ${what} …` : `${what} kept until you are back online`}
    </span>
  );
}
