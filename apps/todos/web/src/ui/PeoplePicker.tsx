import { useState } from 'react';
import type { Person } from '../api/people';

interface Props {
  readonly value: string;
  readonly offered: readonly Person[];
  readonly describedBy: string;
  readonly onChange: (username: string) => void;
}

/** A field for a user name that offers people. Follows the combobox pattern of the ARIA Authoring Practices Guide. */
export function PeoplePicker({ value, offered, describedBy, onChange }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const isShown = isOpen && offered.length > 0;
  const chosen = isShown ? offered[active] : undefined;
  const idOf = ({ userId }: Person) => `person-${userId}`;
  const close = () => {
    setOpen(false);
    setActive(-1);
  };
  const choose = ({ username }: Person) => {
    onChange(username);
    close();
  };
  return (
    <div className="picker">
      <input
        className="input"
        role="combobox"
        aria-label="User name to invite"
        aria-describedby={describedBy}
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls="people"
        aria-activedescendant={chosen && idOf(chosen)}
        placeholder="User name, such as bob"
        maxLength={64}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={value}
        onFocus={() => setOpen(true)}
        onBlur={close}
        onChange={(event) => {
          onChange(event.target.value);
          setOpen(true);
          setActive(-1);
        }}
        onKeyDown={(event) => {
          const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
          if (step !== 0 && offered.length > 0) {
            const from = isShown ? active : -1;
            setOpen(true);
            setActive((Math.max(from, step > 0 ? -1 : 0) + step + offered.length) % offered.length);
          } else if (event.key === 'Enter' && chosen) choose(chosen);
          else if (event.key === 'Escape' && isShown) close();
          else return;
          event.preventDefault();
        }}
      />
      <ul
        className="picker-list"
        id="people"
        role="listbox"
        aria-label="People you share lists with"
        hidden={!isShown}
      >
        {offered.map((person, index) => (
          <li
            key={person.userId}
            id={idOf(person)}
            role="option"
            aria-selected={index === active}
            data-person={person.userId}
            // The field keeps the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(person)}
          >
            {person.name} <small className="muted">{person.username}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
