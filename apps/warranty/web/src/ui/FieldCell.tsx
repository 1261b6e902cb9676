import { memo } from 'react';
import { fieldKey } from '../api/fieldLocks';
import { shownValue, type Field } from '../api/fields';
import { holderOf } from '../state/state';
import { Avatar } from './Avatar';
import { useBranchStore, useWarranty } from './context';
import { FieldEditor } from './FieldEditor';
import { useGrid } from './gridContext';
import { Icon } from './Icon';

interface FieldCellProps {
  readonly id: string;
  readonly field: Field;
  readonly index: number;
  readonly isActive: boolean;
}

export const FieldCell = memo(function FieldCell({ id, field, index, isActive }: FieldCellProps) {
  const { name, label, kind } = field;
  const key = fieldKey(id, name);
  const store = useBranchStore();
  const { leave } = useGrid();
  const value = useWarranty((state) => state.records.get(id)?.[name] ?? '');
  const serviceNo = useWarranty((state) => state.records.get(id)?.serviceNo ?? '');
  // An edit in the record panel is shown there.
  const edit = useWarranty((state) => (state.openId === id ? undefined : state.edits.get(key)));
  const isPending = useWarranty((state) => state.pending.has(key));
  const holder = useWarranty((state) => holderOf(state, key));
  const holderName = useWarranty((state) => state.locks.get(key)?.userName ?? '');
  const error = useWarranty((state) => state.errors.get(key));
  const lockedBy = holder === undefined ? undefined : `Locked by ${holder}`;

  const begin = () => {
    if (edit) return;
    if (holder === undefined) store.beginEdit(key);
    else store.tellLocked(key, holder);
  };
  const shown = shownValue(kind, value);
  return (
    <td
      role="gridcell"
      className={`field-cell column-${name} kind-${kind}`}
      data-case={id}
      data-field={name}
      data-label={label}
      data-column={name}
      data-error={error ? '' : undefined}
      data-pending={isPending ? '' : undefined}
      data-locked={lockedBy === undefined ? undefined : ''}
      data-editing={edit?.phase}
      data-value={value}
      title={edit || error ? undefined : (lockedBy ?? (shown.length > 30 ? shown : undefined))}
      tabIndex={isActive ? 0 : -1}
      aria-colindex={index + 1}
      aria-invalid={error !== undefined}
      aria-readonly={lockedBy !== undefined}
      aria-label={`${label}: ${shown || 'empty'}${lockedBy === undefined ? '' : `. ${lockedBy}`}${isPending ? '. Not saved yet' : ''}${error ? `. ${error.text} You typed: ${error.typed}` : ''}`}
      onClick={begin}
    >
      {edit ? (
        <>
          <FieldEditor
            field={field}
            label={`${label} of ${serviceNo}`}
            value={edit.draft}
            onType={(typed) => store.edits.type(key, typed)}
            onCommit={() => store.edits.commit(key)}
            onCancel={() => store.edits.cancel(key)}
            onLeave={leave}
          />
          {edit.phase === 'taking' && <span className="cell-note">Taking the lock …</span>}
          {edit.phase === 'waiting' && <span className="cell-note">Kept until you are back online</span>}
        </>
      ) : kind === 'status' ? (
        <span className="status" data-status={value}>
          {shown}
        </span>
      ) : (
        <span className={shown === '' ? 'cell-text cell-empty' : 'cell-text'}>{shown || '–'}</span>
      )}
      {lockedBy !== undefined && !edit && (
        <span className="lock-mark" data-lock={holder} title={lockedBy}>
          <Icon name="lock" />
          <Avatar name={holderName} />
        </span>
      )}
      {error && !edit && (
        <span className="cell-error">
          <Icon name="alert" />
          <span className="cell-error-typed">{error.typed || 'empty'}</span>
          <span className="cell-error-text">{error.text} Press Enter to go on with your text.</span>
        </span>
      )}
    </td>
  );
});
