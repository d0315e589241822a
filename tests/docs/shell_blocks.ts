/** The code blocks of a Markdown page, and what stands above them. */

export interface Block {
  readonly language: string;
  readonly text: string;
  /** The lines above the block up to the one before. */
  readonly before: string;
}

/** In document order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let last = 0;
  for (const match of markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    blocks.push({ language: match[1], text: match[2], before: markdown.slice(last, match.index) });
    last = match.index + match[0].length;
  }
  return blocks;
}

/** Why a block is not run; undefined where it is. */
export const notRun = (block: Block): string | undefined => /<!-- not run: (.*?) -->\n+$/.exec(block.before)?.[1];
/** Whether a block is for real servers. */
export const isOnServers = (block: Block): boolean => /<!-- on servers -->\n+$/.test(block.before);
