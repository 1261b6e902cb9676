import { fields } from '../api/fields';
import { MAX_WIDTH, MIN_WIDTH, widthOf } from '../state/columns';
import { useContextValue, useWarranty } from './context';
import { Popover } from './Popover';

/** Chooses columns and their widths. The choice is kept on this device for this user. */
export function ColumnMenu() {
  const { columns } = useContextValue();
  const settings = useWarranty((state) => state.columns);
  return (
    <Popover label="Columns" icon="columns" text="Columns" count={settings.hidden.length}>
      <ul className="column-list">
        {fields.map(({ name, label }) => {
          const isHidden = settings.hidden.includes(name);
          return (
            <li key={name}>
              <label className="choice">
                <input
                  type="checkbox"
                  checked={!isHidden}
                  onChange={() => columns.setHidden(name, !isHidden)}
                />
                {label}
              </label>
              <input
                type="range"
                min={MIN_WIDTH}
                max={MAX_WIDTH}
                step={8}
                value={widthOf(settings, name)}
                disabled={isHidden}
                aria-label={`Width of ${label}`}
                onChange={(event) => columns.setWidth(name, Number(event.target.value))}
              />
            </li>
          );
        })}
      </ul>
      <div className="popover-foot">
        <button type="button" className="button button-small" onClick={() => columns.reset()}>
          Reset columns
        </button>
      </div>
    </Popover>
  );
}
