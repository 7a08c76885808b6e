// Marks comments, strings and keywords of TypeScript and Python, so that code is read more easily.

export interface Token {
  readonly text: string;
  readonly kind: 'comment' | 'string' | 'keyword' | undefined;
}

const TOKEN =
  /(?<comment>(?:\/\/|#).*)|(?<string>'[^'\n]*'|"[^"\n]*")|\b(?<keyword>import|from|const|new|as|True|False|None|print)\b/g;

export function tokensOf(code: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of code.matchAll(TOKEN)) {
    if (match.index > end) tokens.push({ text: code.slice(end, match.index), kind: undefined });
    const kind = (['comment', 'string', 'keyword'] as const).find(
      (name) => match.groups?.[name] !== undefined,
    );
    tokens.push({ text: match[0], kind });
    end = match.index + match[0].length;
  }
  if (end < code.length) tokens.push({ text: code.slice(end), kind: undefined });
  return tokens;
}
