import type { Problem } from '@dunlin/client';
import { firstQuery } from '../state/state';
import { branchAddress, goTo } from './address';
import { useBranchStore, useWarranty } from './context';
import { Icon } from './Icon';

/** Replaces the table when it cannot be displayed. */
export function Trouble({ problem }: { readonly problem: Problem }) {
  const store = useBranchStore();
  const branchId = useWarranty((state) => state.branchId);
  const branches = useWarranty((state) => state.branches);
  const isNotFound = problem.kind === 'notFound';
  const isForbidden = problem.kind === 'forbidden';
  return (
    <main className="trouble" role="alert">
      <Icon name={isForbidden ? 'lock' : 'alert'} />
      <h1>
        {isNotFound
          ? branchId > 0
            ? `There is no branch ${branchId}`
            : 'This address names no branch'
          : isForbidden
            ? 'You do not work in this branch'
            : 'The cases could not be loaded'}
      </h1>
      {isNotFound || isForbidden ? (
        <>
          <p className="muted">
            {branches.length > 0 ? 'Your branches:' : 'You have no branch yet. Ask an administrator.'}
          </p>
          <div className="trouble-branches">
            {branches.map(({ id, name }) => (
              <a
                key={id}
                className="button"
                href={branchAddress(id)}
                onClick={(event) => {
                  event.preventDefault();
                  goTo({ branchId: id, query: firstQuery });
                }}
              >
                {name}
              </a>
            ))}
          </div>
        </>
      ) : (
        <>
          <p className="muted">
            {problem.code === 'network' ? 'The server cannot be reached.' : problem.title}
          </p>
          <button type="button" className="button button-primary" onClick={() => store.retry()}>
            Try again
          </button>
        </>
      )}
    </main>
  );
}
