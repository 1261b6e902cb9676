import type { LoadState, TodosStore } from '../state/todosStore';
import { Icon } from './Icon';

/** The first load of a user's data in this browser: in progress, or failed with a button to try again. */
export function Loading({ store, load }: { readonly store: TodosStore; readonly load: LoadState }) {
  if (load.name === 'failed')
    return (
      <div className="loading" role="alert" data-load="failed">
        <p>
          <Icon name="alert" /> <strong>Your lists could not be loaded.</strong>
        </p>
        <p className="muted">{load.reason ?? 'The server does not answer.'} It is tried again by itself.</p>
        <button type="button" className="button button-small" onClick={() => store.retryLoad()}>
          <Icon name="refresh" /> Try again
        </button>
      </div>
    );
  return (
    <p className="loading muted" role="status" data-load="loading">
      Loading your lists…
    </p>
  );
}
