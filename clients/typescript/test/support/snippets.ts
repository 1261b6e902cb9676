import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Returns the code blocks of one language in a file of the repository. */
export function snippetsOf(path: string, language: string): string[] {
  const text = readFileSync(`${packageRoot}${path}`, 'utf8');
  return [...text.matchAll(new RegExp('```' + language + '\\n(.*?)```', 'gs'))].map((match) => match[1]!);
}

/** Compiles snippets, each as its own file, and returns the diagnostics. A first line `// name.ts` names the file. */
export function compile(snippets: readonly string[]): string[] {
  const name = (text: string, index: number) => /^\/\/ (\w+\.ts)\n/.exec(text)?.[1] ?? `snippet${index}.ts`;
  const sources = new Map(snippets.map((text, index) => [`${packageRoot}${name(text, index)}`, text]));
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    skipLibCheck: true,
    paths: {
      '@dunlin/client': [`${packageRoot}src/index.ts`],
      '@dunlin/client/rxdb': [`${packageRoot}src/rxdb/index.ts`],
    },
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = sources.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n'));
}
