import { show } from './ui/components';

show(document.querySelector<HTMLElement>('#page')!);
