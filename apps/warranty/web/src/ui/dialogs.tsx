import { problemOf } from '@dunlin/client';
import { showToast } from '@dunlin/kit';
import { useState, type FormEvent } from 'react';
import type { Case, CaseUpdates } from '../api/cases';
import { fieldOf, type FieldName } from '../api/fields';
import { problemWords } from '../state/words';
import { useBranchStore, useWarranty } from './context';
import { Dialog } from './Dialog';

interface CaseDialogProps {
  readonly record: Case;
  readonly onClose: () => void;
}

const newCaseFields: readonly FieldName[] = [
  'customerName',
  'customerContact',
  'customerEmail',
  'purchaseDate',
  'invoice',
  'receivedItems',
  'issues',
];

export function NewCaseDialog({ onClose }: { readonly onClose: () => void }) {
  const store = useBranchStore();
  const { isBusy, failure, run } = useAction(onClose);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (value: FormDataEntryValue | null) => (typeof value === 'string' ? value : '');
    const values = Object.fromEntries(
      newCaseFields.map((name) => [name, text(data.get(name))]),
    ) as CaseUpdates;
    run(async () => {
      const created = await store.create(values);
      showToast({ text: `Case ${created.serviceNo} was created.` });
    });
  };
  return (
    <Dialog title="New case" className="new-case" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <div className="form-columns">
          {newCaseFields.map((name) => {
            const { label, kind, maxLength } = fieldOf(name);
            const type = kind === 'date' ? 'date' : kind === 'email' ? 'email' : 'text';
            return (
              <label key={name} className={kind === 'text' ? 'field field-wide' : 'field'}>
                {label}
                {kind === 'text' ? (
                  <textarea name={name} rows={name === 'issues' ? 3 : 2} maxLength={maxLength} />
                ) : (
                  <input
                    name={name}
                    type={type}
                    maxLength={type === 'date' ? undefined : maxLength}
                    required={name === 'customerName'}
                  />
                )}
              </label>
            );
          })}
        </div>
        {failure !== undefined && (
          <p className="form-failure" role="alert">
            {failure}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={isBusy}>
            Create case
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function DeleteDialog({ record, onClose }: CaseDialogProps) {
  const store = useBranchStore();
  const { isBusy, failure, run } = useAction(onClose);
  const remove = () =>
    run(async () => {
      await store.remove(record.id);
      showToast({ text: `Case ${record.serviceNo} was deleted.` });
    });
  return (
    <Dialog title={`Delete ${record.serviceNo}?`} onClose={onClose}>
      <p className="muted">The case of {record.customerName || 'this customer'} disappears for everybody.</p>
      {failure !== undefined && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" className="button button-danger" disabled={isBusy} onClick={remove}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}

export function TransferDialog({ record, onClose }: CaseDialogProps) {
  const store = useBranchStore();
  const branches = useWarranty((state) => state.branches).filter(({ id }) => id !== record.branchId);
  const [chosen, setChosen] = useState(branches[0]?.id);
  const { isBusy, failure, run } = useAction(onClose);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const branch = branches.find(({ id }) => id === chosen);
    if (!branch) return;
    run(async () => {
      await store.transfer(record.id, branch.id);
      showToast({ text: `Case ${record.serviceNo} is now at ${branch.name}.` });
    });
  };
  return (
    <Dialog title={`Transfer ${record.serviceNo}`} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {branches.length === 0 ? (
          <p className="muted">You work in one branch only: there is none to transfer it to.</p>
        ) : (
          <label className="field">
            To branch
            <select value={chosen} onChange={(event) => setChosen(Number(event.target.value))}>
              {branches.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        {failure !== undefined && (
          <p className="form-failure" role="alert">
            {failure}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={isBusy || chosen === undefined}>
            Transfer
          </button>
        </div>
      </form>
    </Dialog>
  );
}

// Runs one request. Closes the dialog on success and displays the reason after a failure.
function useAction(onDone: () => void): {
  isBusy: boolean;
  failure: string | undefined;
  run: (action: () => Promise<void>) => void;
} {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | undefined>();
  const run = (action: () => Promise<void>) => {
    setBusy(true);
    setFailure(undefined);
    action()
      .then(onDone)
      .catch((error: unknown) => {
        const words = problemWords(problemOf(error));
        setFailure(words[0]!.toUpperCase() + words.slice(1));
      })
      .finally(() => setBusy(false));
  };
  return { isBusy, failure, run };
}
