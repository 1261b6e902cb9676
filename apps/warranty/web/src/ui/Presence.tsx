import { useWarranty } from './context';
import { Avatar } from './Avatar';

const MAX_SHOWN = 4;

/** Shows who looks at this branch now. */
export function Presence() {
  const userId = useWarranty((state) => state.userId);
  const present = useWarranty((state) => state.present);
  if (present.length === 0) return null;
  const names = present.map((member) => (member.userId === userId ? `${member.name} (you)` : member.name));
  return (
    <div className="presence" role="group" aria-label={`Here now: ${names.join(', ')}`}>
      {present.slice(0, MAX_SHOWN).map((member, index) => (
        <span key={member.userId} title={names[index]} data-present={member.userId}>
          <Avatar name={member.name} />
        </span>
      ))}
      {present.length > MAX_SHOWN && (
        <span className="presence-more" title={names.slice(MAX_SHOWN).join(', ')}>
          +{present.length - MAX_SHOWN}
        </span>
      )}
    </div>
  );
}
