/**
 * An array's text, `{1.10,NULL,"a \"b\"",{...}}`, as JSON.
 *
 *   array = (bounds "=")? "{" (item ("," item)*)? "}"        item = array | "NULL" | quoted | plain
 */

/** `item` gives the JSON of one item's text. Text that is no array becomes a JSON string, which is refused as what it is. */
export function arrayJson(text: string, item: (text: string) => string): string {
  const from = text.startsWith("[") ? text.indexOf("=") + 1 : 0;
  const out: string[] = [];
  let at = from;
  let depth = 0;
  while (at < text.length) {
    const letter = text[at];
    if (letter === "{" || letter === "}") {
      out.push(letter === "{" ? "[" : "]");
      depth += letter === "{" ? 1 : -1;
      at++;
      if (depth === 0) break;
    } else if (letter === ",") {
      out.push(",");
      at++;
    } else {
      const { value, end } = letter === '"' ? quotedItem(text, at) : plainItem(text, at);
      out.push(value === null ? "null" : item(value));
      at = end;
    }
  }
  return depth === 0 && at === text.length && text[from] === "{" ? out.join("") : JSON.stringify(text);
}

interface Item {
  readonly value: string | null;
  readonly end: number;
}

function quotedItem(text: string, from: number): Item {
  let value = "";
  let at = from + 1;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === "\\") at++;
    value += text[at++] ?? "";
  }
  return { value, end: at + 1 };
}

function plainItem(text: string, from: number): Item {
  let end = from;
  while (end < text.length && text[end] !== "," && text[end] !== "}") end++;
  const value = text.slice(from, end);
  return { value: value === "NULL" ? null : value, end };
}
