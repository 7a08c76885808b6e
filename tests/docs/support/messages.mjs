// The messages of LayerNormError as the sources have them, with '…' for what is put in.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { at, shown } from '../../../scripts/lib/paths.mjs';

/**
 * @typedef {object} Thrown
 * @property {string} where file and line
 * @property {string | undefined} code undefined where it is not written out
 * @property {string[]} texts all that the message can be
 */

/** Functions that make such an error of fewer arguments: the code, and which argument has the message. */
const MAKERS = { faulty: { code: 'ERR_FILE', argument: 1 } };

function* nodesOf(node) {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}

/** Every text that an expression can be, literals joined; at most a few, as conditions multiply. */
function textsOf(node) {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression);
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return joined([textsOf(node.left), textsOf(node.right)]);
  if (ts.isTemplateExpression(node)) {
    const spans = node.templateSpans.flatMap((span) => [textsOf(span.expression), [span.literal.text]]);
    return joined([[node.head.text], ...spans]);
  }
  return ['…'];
}

const joined = (parts) =>
  parts.reduce((starts, ends) => starts.flatMap((start) => ends.map((end) => start + end)), ['']);

function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort();
}

/** @returns {{ thrown: Thrown[], texts: string[] }} where errors are made, and all texts of the sources */
export function messages() {
  const thrown = [];
  const texts = [];
  for (const file of filesOf(at('js', 'src'))) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    for (const node of nodesOf(source)) {
      if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) || ts.isBinaryExpression(node)) {
        texts.push(...textsOf(node));
      }
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const where = `${shown(file)}:${line + 1}`;
      if (ts.isNewExpression(node) && node.expression.getText() === 'LayerNormError') {
        const [code, message] = node.arguments;
        thrown.push({
          where,
          code: ts.isStringLiteral(code) ? code.text : undefined,
          texts: textsOf(message),
        });
      }
      const maker = ts.isCallExpression(node) && MAKERS[node.expression.getText()];
      if (maker) {
        thrown.push({
          where,
          code: maker.code,
          texts: textsOf(node.arguments[maker.argument]).map((text) => `…: ${text}`),
        });
      }
    }
  }
  return { thrown, texts };
}

/** The codes, as the type lists them. */
export function codes() {
  const file = at('js', 'src', 'runtime', 'errors.ts');
  const [, list] = /type LayerNormErrorCode =([^;]*);/.exec(readFileSync(file, 'utf8'));
  return [...list.matchAll(/'(\w+)'/g)].map(([, code]) => code);
}
