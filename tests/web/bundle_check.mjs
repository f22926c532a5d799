/**
 * Comparison of the page's script with its modules (`server/web/bundle.py`).
 *
 * Arguments: the folder of the modules, the script and its source map. Prints one JSON line.
 */

import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import ts from "../support/javascript/node_modules/typescript/lib/typescript.js";

const [folder, scriptPath, mapPath] = process.argv.slice(2);
const script = readFileSync(scriptPath, "utf8");
const sourceMap = JSON.parse(readFileSync(mapPath, "utf8"));
const sources = new Map(sourceMap.sources.map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));

/** Return the top-level statements of a module except imports. */
function parse(text) {
  const file = ts.createSourceFile("module.js", text, ts.ScriptTarget.Latest, true);
  return file.statements.filter((statement) => !ts.isImportDeclaration(statement));
}

/** Return the tokens of a node except `export`, without comments. */
function tokens(node) {
  if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return [];
  if (node.kind === ts.SyntaxKind.ExportKeyword) return [];
  const children = node.getChildren();
  return children.length ? children.flatMap(tokens) : [node.getText()];
}

/** Return the names that statements declare. */
function declaredNames(statements) {
  return statements.flatMap((statement) => {
    const declarations = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
    return declarations.flatMap(({ name }) => name?.getText() ?? []);
  });
}

/** Return the names of the values that the language and the browser define. */
function globalNames() {
  const libraries = ts.sys.readDirectory(new URL("../support/javascript/node_modules/typescript/lib", import.meta.url).pathname, [".d.ts"], [], ["lib.es*", "lib.dom.d.ts"]);
  const declaration = /^declare (?:var|let|const|function) (\w+)/gm;
  return new Set(libraries.flatMap((path) => [...readFileSync(path, "utf8").matchAll(declaration)].map(([, name]) => name)));
}

/** Return the lines of the script that the source map does not lead to the same line of a module. */
function unmappedLines() {
  const map = new SourceMap(sourceMap);
  const lines = script.trimEnd().split("\n").slice(0, -1); // without the address of the map
  const withoutKeywords = (line) => line.replace(/^(import .*|export )/, "");
  return lines.filter((line, index) => {
    const { originalSource, originalLine } = map.findEntry(index, 0);
    const original = sources.get(originalSource)?.split("\n")[originalLine];
    return original === undefined || withoutKeywords(original) !== withoutKeywords(line);
  });
}

const statements = parse(script);
const names = declaredNames(statements);
const globals = globalNames();
const expectedTokens = [...sources.values()].flatMap((text) => parse(text).flatMap(tokens));
console.log(
  JSON.stringify({
    modules: sources.size,
    names: names.length,
    isEqual: JSON.stringify(statements.flatMap(tokens)) === JSON.stringify(expectedTokens),
    repeatedNames: names.filter((name, index) => names.indexOf(name) !== index),
    hiddenGlobals: names.filter((name) => globals.has(name)),
    knownGlobals: ["confirm", "structuredClone", "Map"].filter((name) => globals.has(name)),
    unmappedLines: unmappedLines(),
  }),
);
