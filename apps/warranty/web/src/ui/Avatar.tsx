import { avatar } from '@dunlin/kit';
import { useCallback } from 'react';

/** The initials of a user. Decorative: the text beside it names the user. */
export function Avatar({ name }: { readonly name: string }) {
  const fill = useCallback((place: HTMLElement | null) => place?.replaceChildren(avatar(name)), [name]);
  return <span ref={fill} className="avatar-place" />;
}
