import type { DefaultNameResolver, Grammar, GrammarWalker } from 'salve-annos';
import salve from 'salve-annos/salve.min.js';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import schemaText from './tei.rng?raw';

const TEI = 'http://www.tei-c.org/ns/1.0';
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const XML = 'http://www.w3.org/XML/1998/namespace';
/** More findings do not help anybody. */
const MAX_FINDINGS = 100;
/** A longer text, in UTF-16 code units, is checked when it is saved only: the check would block the page. */
const MAX_LENGTH = 1_000_000;

/** A fault of a text. The text can be saved with a `warning`. */
export interface Finding {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** What the schema allows at a place. */
export interface Allowed {
  readonly kind: 'element' | 'attribute' | 'value';
  /** Where the name or value begins. */
  readonly from: number;
  readonly names: readonly string[];
}

let loading: Promise<SchemaValidator> | undefined;

/** Returns the validator of this page. The schema is converted once. */
export function loadValidator(): Promise<SchemaValidator> {
  loading ??= salve
    .convertRNGToPattern(new URL('https://schema.invalid/tei.rng'), {
      createManifest: false,
      manifestHashAlgorithm: 'SHA-1',
      idCheck: false,
      resourceLoader: { load: (url) => Promise.resolve({ url, getText: () => Promise.resolve(schemaText) }) },
    })
    .then(({ pattern }) => new SchemaValidator(pattern));
  return loading;
}

/** Checks TEI texts against the schema, and returns the names and values that the schema allows at a place. */
export class SchemaValidator {
  readonly #grammar: Grammar;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  /** Returns the faults of a text: malformed XML, and for TEI what the schema does not allow. */
  check(text: string): readonly Finding[] {
    if (text.length > MAX_LENGTH) return [];
    const findings: Finding[] = [];
    const run = new Run(this.#grammar, text, (finding) => {
      if (findings.length < MAX_FINDINGS) findings.push(finding);
    });
    run.parse(text);
    run.close();
    return findings;
  }

  /** Returns the names or values that the schema allows inside a tag. Undefined outside of tags and in texts that are not TEI. */
  allowedAt(text: string, at: number): Allowed | undefined {
    const start = text.lastIndexOf('<', at - 1);
    if (start < 0 || at - start > 2000 || text.length > MAX_LENGTH) return undefined;
    const tag = text.slice(start, at);
    const run = new Run(this.#grammar, text, () => {});
    run.parse(text.slice(0, start));
    if (!run.isSchemaText && run.hasElements) return undefined;
    const end = /^<\/([\w:.-]*)$/.exec(tag);
    if (end) return named('element', at - end[1]!.length, run.openNames().slice(0, 1));
    const element = /^<([\w:.-]*)$/.exec(tag);
    if (element) return named('element', at - element[1]!.length, run.possible('enterStartTag'));
    const parts =
      /^<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s+(?:([\w:.-]+)\s*=\s*["'])?([^"'<>]*)$/.exec(
        tag,
      );
    if (!parts) return undefined;
    const [, name, before, attribute, typed] = parts;
    run.enter(name!, [...before!.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)]);
    if (attribute === undefined)
      return /^[\w:.-]*$/.test(typed!)
        ? named('attribute', at - typed!.length, run.possible('attributeName'))
        : undefined;
    return named('value', at - typed!.length, run.valuesOf(attribute));
  }
}

function named(kind: Allowed['kind'], from: number, names: readonly string[]): Allowed | undefined {
  return names.length > 0 ? { kind, from, names: [...new Set(names)].sort() } : undefined;
}

/** One pass of the parser over a text, with the walker of the schema beside it. */
class Run {
  readonly #parser = new SaxesParser({ xmlns: true, position: true });
  readonly #walker: GrammarWalker<DefaultNameResolver>;
  readonly #text: string;
  readonly #report: (finding: Finding) => void;
  readonly #open: string[] = [];
  #characters = '';
  #charactersAt = 0;
  #isMalformed = false;
  hasElements = false;
  /** Whether the root is TEI. Other texts are checked for well-formedness only. */
  isSchemaText = false;

  constructor(grammar: Grammar, text: string, report: (finding: Finding) => void) {
    this.#walker = grammar.newWalker(new salve.DefaultNameResolver());
    this.#text = text;
    this.#report = report;
    const parser = this.#parser;
    parser.on('error', (error) => this.#malformed(error.message));
    parser.on('opentag', (tag) => this.#opened(tag));
    parser.on('closetag', (tag) => this.#closed(tag));
    const characters = (text: string) => {
      if (this.#characters === '') this.#charactersAt = Math.max(0, parser.position - text.length - 1);
      this.#characters += text;
    };
    parser.on('text', characters);
    parser.on('cdata', characters);
  }

  parse(text: string): void {
    this.#parser.write(text.startsWith('\uFEFF') ? ` ${text.slice(1)}`.trimStart() : text);
  }

  close(): void {
    if (!this.#isMalformed) this.#parser.close();
  }

  /** Names of the open elements, the innermost first. */
  openNames(): readonly string[] {
    return [...this.#open].reverse();
  }

  possible(kind: 'enterStartTag' | 'attributeName'): readonly string[] {
    this.#flush();
    const names: string[] = [];
    for (const event of this.#walker.possible()) {
      if (event.name !== kind) continue;
      for (const { ns, name } of (
        event.param as { toArray(): { ns: string; name: string }[] | null }
      ).toArray() ?? [])
        names.push(ns === XML ? `xml:${name}` : name);
    }
    return names;
  }

  /** Enters a start tag with the attributes in front of a place in it. */
  enter(name: string, attributes: readonly RegExpExecArray[]): void {
    this.#flush();
    this.#walker.fireEvent('enterStartTag', [TEI, name.replace(/^.*:/, '')]);
    for (const [, attribute, double, single] of attributes) {
      if (attribute === 'xmlns' || attribute!.startsWith('xmlns:')) continue;
      this.#walker.fireEvent('attributeName', nameOf(attribute!));
      this.#walker.fireEvent('attributeValue', [double ?? single ?? '']);
    }
  }

  valuesOf(attribute: string): readonly string[] {
    this.#walker.fireEvent('attributeName', nameOf(attribute));
    const values: string[] = [];
    for (const event of this.#walker.possible())
      if (event.name === 'attributeValue' && typeof event.param === 'string' && event.param !== '')
        values.push(event.param);
    return values;
  }

  #opened(tag: SaxesTagNS): void {
    if (this.#isMalformed) return;
    if (!this.hasElements) this.isSchemaText = tag.uri === TEI;
    this.hasElements = true;
    this.#open.push(tag.name);
    if (!this.isSchemaText) return;
    this.#flush();
    const from = this.#tagStart();
    const to = from + 1 + tag.name.length;
    this.#fire('enterStartTag', [tag.uri, tag.local], from + 1, to);
    for (const { uri, local, value } of Object.values(tag.attributes)) {
      if (uri === XMLNS) continue;
      const at = this.#attributeStart(from, local);
      this.#fire('attributeName', [uri, local], at, at + local.length);
      this.#fire('attributeValue', [value], at, at + local.length);
    }
    this.#fire('leaveStartTag', [], from + 1, to);
  }

  #closed(tag: SaxesTagNS): void {
    if (this.#isMalformed) return;
    this.#open.pop();
    if (!this.isSchemaText) return;
    this.#flush();
    const from = this.#tagStart();
    this.#fire(
      'endTag',
      [tag.uri, tag.local],
      from,
      Math.min(this.#parser.position, from + 2 + tag.name.length),
    );
  }

  #flush(): void {
    const text = this.#characters;
    this.#characters = '';
    if (text === '' || this.#isMalformed || !this.isSchemaText || this.#open.length === 0) return;
    const lead = text.length - text.trimStart().length;
    const from = this.#charactersAt + lead;
    this.#fire('text', [text], from, from + Math.max(1, text.trim().length));
  }

  #fire(name: string, params: string[], from: number, to: number): void {
    const result = this.#walker.fireEvent(name, params);
    if (!result) return;
    for (const error of result) {
      const names = error.getNames().map((each) => wordOf(each.toString()));
      this.#report({
        from: Math.min(from, this.#text.length),
        to: Math.min(Math.max(to, from + 1), this.#text.length),
        severity: 'warning',
        message: `TEI: ${error.toStringWithNames(names)}`,
      });
    }
  }

  #malformed(message: string): void {
    if (this.#isMalformed) return;
    this.#isMalformed = true;
    const to = Math.min(this.#parser.position, this.#text.length);
    this.#report({
      from: Math.max(0, to - 1),
      to,
      severity: 'error',
      message: message.replace(/^\d+:\d+: /, '').replace(/\.?$/, '.'),
    });
  }

  // A start or end tag contains no other '<': attribute values may not.
  #tagStart(): number {
    return Math.max(0, this.#text.lastIndexOf('<', this.#parser.position - 1));
  }

  #attributeStart(from: number, local: string): number {
    const tag = this.#text.slice(from, this.#parser.position);
    const at = tag.search(new RegExp(`[\\s:]${local}\\s*=`));
    return at < 0 ? from + 1 : from + at + 1;
  }
}

function nameOf(attribute: string): [string, string] {
  return attribute.startsWith('xml:') ? [XML, attribute.slice(4)] : ['', attribute];
}

// A name of the schema is printed as JSON, with its namespace.
function wordOf(name: string): string {
  return /"name":"([^"]+)"/.exec(name)?.[1] ?? name;
}
