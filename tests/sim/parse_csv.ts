/** CSV (RFC 4180) the plain way, one character after the other, for comparing with what the product wrote. */

/** Rows of fields; the last line may or may not end. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let isQuoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (isQuoted) {
      if (character !== '"') field += character;
      else if (text[index + 1] === '"') field += text[++index];
      else isQuoted = false;
    } else if (character === '"') {
      isQuoted = true;
    } else if (character === ",") {
      row.push(field);
      field = "";
    } else if (character === "\n") {
      rows.push([...row, field]);
      row = [];
      field = "";
    } else {
      field += character;
    }
  }
  return row.length > 0 || field !== "" ? [...rows, [...row, field]] : rows;
}
