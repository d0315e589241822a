/** `generate`: data sets from a seed. */
import { generateDataSet } from "../../app/generate.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { GenerateCommand } from "../grammar.ts";
import { textTable, withThousands } from "../render/text_table.ts";

export async function generate(command: GenerateCommand, { world, terminal }: CommandContext): Promise<number> {
  const given = Object.entries({ customers: command.customers, transactions: command.transactions, seed: command.seed });
  const wished = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const files = await generateDataSet(world, command.what, command.output ?? `datasets/${command.what}`, wished);
  if (command.json) terminal.out(JSON.stringify(files, null, 2) + "\n");
  else terminal.out(textTable(["file", "bytes"], files.map(({ path, bytes }) => [path, withThousands(bytes)]), 0).join("\n") + "\n");
  return EXIT.done;
}
