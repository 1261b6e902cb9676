import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

// Reads the options of a program. An unknown option ends it, and --help prints the comment at its top.
export function optionsOf(program, texts, flags = []) {
  const options = Object.fromEntries([
    ...texts.map((name) => [name, { type: 'string' }]),
    ...[...flags, 'help'].map((name) => [name, { type: 'boolean' }]),
  ]);
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
  if (!values.help) return values;
  const lines = readFileSync(program, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  console.log(
    lines
      .slice(0, end)
      .map((line) => line.replace(/^\/\/ ?/, ''))
      .join('\n'),
  );
  process.exit();
}
