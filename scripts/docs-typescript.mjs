// Writes the table of contents of the TypeScript reference from typedoc's navigation, and gives the modules the names
// that an import has.
import { readFileSync, writeFileSync } from 'node:fs';

const folder = 'artifacts/docs-work/typescript';
const packageOf = (module) => (module === 'index' ? '@dunlin/client' : `@dunlin/client/${module}`);
const quoted = (text) => JSON.stringify(text);
const lines = ['- name: Modules', '  href: index.md'];

for (const module of JSON.parse(readFileSync(`${folder}.json`, 'utf8'))) {
  const name = packageOf(module.title);
  lines.push(`- name: ${quoted(name)}`, `  href: ${module.path}`, '  items:');
  for (const group of module.children) {
    lines.push(`  - name: ${quoted(group.title)}`, '    items:');
    for (const member of group.children)
      lines.push(`    - name: ${quoted(member.title)}`, `      href: ${member.path}`);
  }
  retitle(module.path, `# ${module.title}`, `# ${name}`);
  retitle('index.md', `[${module.title}]`, `[${name}]`);
}
retitle('index.md', '# @dunlin/client', '# TypeScript client');
writeFileSync(`${folder}/toc.yml`, lines.join('\n') + '\n');

function retitle(page, from, to) {
  const path = `${folder}/${page}`;
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} does not contain '${from}'. Has typedoc changed its output?`);
  writeFileSync(path, text.replace(from, to));
}
