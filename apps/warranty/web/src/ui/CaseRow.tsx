import { memo, useState } from 'react';
import { fields } from '../api/fields';
import type { CaseTableProps } from './CaseTable';
import { useWarranty } from './context';
import { FieldCell } from './FieldCell';
import { Icon } from './Icon';

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

export const CaseRow = memo(function CaseRow({ id, onOverlay }: CaseTableProps & { readonly id: string }) {
  const record = useWarranty((state) => state.records.get(id));
  const [isOpen, setOpen] = useState(false);
  if (!record) return null;
  const { serviceNo, createdAt } = record;
  const action = (
    kind: 'history' | 'transfer' | 'delete',
    label: string,
    icon: 'history' | 'move' | 'trash',
  ) => (
    <button
      type="button"
      className="icon-button"
      title={label}
      aria-label={`${label} of ${serviceNo}`}
      data-action={kind}
      onClick={() => onOverlay({ kind, record })}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <tr data-case-row={id} data-open={isOpen ? '' : undefined} aria-label={serviceNo}>
      <th scope="row" className="column-case">
        <span className="service-no">{serviceNo}</span>
        <small className="muted">{day.format(createdAt)}</small>
      </th>
      {fields.map((field) => (
        <FieldCell key={field.name} id={id} field={field} />
      ))}
      <td className="column-actions">
        <div className="row-actions">
          {action('history', 'History', 'history')}
          {action('transfer', 'Transfer', 'move')}
          {action('delete', 'Delete', 'trash')}
          <button
            type="button"
            className="button button-small more-fields"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? 'Fewer fields' : 'All fields'}
          </button>
        </div>
      </td>
    </tr>
  );
});
