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
  return compilePages(new Map([['', snippets]])).map(({ text }) => text);
}

/** What the compiler says about the snippets of pages. The snippets of one page import each other by their names. */
export function compilePages(
  pages: ReadonlyMap<string, readonly string[]>,
): { page: string; text: string }[] {
  const nameOf = (text: string, index: number) => /^\/\/ (\w+\.ts)\n/.exec(text)?.[1] ?? `snippet${index}.ts`;
  const folders = new Map<string, string>(
    [...pages.keys()].map((page, index) => [`${packageRoot}page${index}`, page]),
  );
  const sources = new Map<string, string>(
    [...folders].flatMap(([folder, page]) =>
      pages.get(page)!.map((text, index) => [`${folder}/${nameOf(text, index)}`, text] as const),
    ),
  );
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
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.directoryExists = (path) => folders.has(path) || directoryExists!(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = sources.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map((each) => ({
    page: folders.get(each.file?.fileName.slice(0, each.file.fileName.lastIndexOf('/')) ?? '') ?? '',
    text: ts.flattenDiagnosticMessageText(each.messageText, '\n'),
  }));
}
