/** `test`: the [[tests]] of a project's files. */
import { choosePipelines, openProject } from "../../app/open_project.ts";
import { runTests } from "../../app/run_tests.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { TestCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";

export async function test(command: TestCommand, { world, terminal }: CommandContext): Promise<number> {
  const project = await openProject(world, {
    path: command.path,
    overrides: parseOverrides(command.set),
    envFile: command.envFile,
    purpose: "test",
  });
  // Without names all are tested, whatever the profile would run.
  const pipelines = command.pipelines.length === 0 ? project.pipelines : choosePipelines(project, command.pipelines);
  const results = pipelines.flatMap((pipeline) => runTests(pipeline));
  const failed = results.filter((result) => result.differences.length > 0);
  if (command.json) terminal.out(JSON.stringify(results, null, 2) + "\n");
  else {
    for (const { pipeline, name, place, differences } of results) {
      terminal.out(`${differences.length === 0 ? "ok    " : "FAILED"}  ${pipeline}: ${name}\n`);
      for (const difference of differences) terminal.out(`        ${place}: ${difference}\n`);
    }
    terminal.out(`${results.length - failed.length} passed, ${failed.length} failed\n`);
  }
  return failed.length === 0 ? EXIT.done : EXIT.failed;
}
