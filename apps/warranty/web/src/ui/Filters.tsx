import { statuses } from '../api/fields';
import { useBranchStore, useShow, useWarranty } from './context';
import { Popover } from './Popover';

/** Selects cases by status and staff. The choice is in the address. */
export function Filters() {
  const store = useBranchStore();
  const show = useShow();
  const status = useWarranty((state) => state.query.status);
  const staff = useWarranty((state) => state.query.staff);
  const known = useWarranty((state) => state.staff);
  const names = ['', ...new Set([...known, ...staff.filter((name) => name !== '')])];
  const count = status.length + staff.length;
  return (
    <Popover label="Filter" icon="filter" text="Filter" count={count} onOpen={() => void store.loadStaff()}>
      <div className="filters">
        <fieldset>
          <legend>Status</legend>
          {Object.entries(statuses).map(([name, label]) => (
            <Choice
              key={name}
              label={label}
              isChosen={status.includes(name)}
              onChange={() => show({ status: toggled(status, name) })}
            />
          ))}
        </fieldset>
        <fieldset>
          <legend>Staff</legend>
          {names.map((name) => (
            <Choice
              key={name}
              label={name === '' ? 'Nobody' : name}
              isChosen={staff.includes(name)}
              onChange={() => show({ staff: toggled(staff, name) })}
            />
          ))}
        </fieldset>
      </div>
      <div className="popover-foot">
        <button
          type="button"
          className="button button-small"
          disabled={count === 0}
          onClick={() => show({ status: [], staff: [] })}
        >
          Clear filters
        </button>
      </div>
    </Popover>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly isChosen: boolean;
  readonly onChange: () => void;
}

function Choice({ label, isChosen, onChange }: ChoiceProps) {
  return (
    <label className="choice">
      <input type="checkbox" checked={isChosen} onChange={onChange} />
      {label}
    </label>
  );
}

function toggled(values: readonly string[], value: string): readonly string[] {
  return values.includes(value) ? values.filter((each) => each !== value) : [...values, value];
}
