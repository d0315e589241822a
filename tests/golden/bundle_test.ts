/** What the bundler wrote is cleaned of the machine that it ran on, and of nothing else. */
import assert from "node:assert/strict";
import { namedWhenWanted, withoutPlaces } from "../../scripts/bundle.ts";

const place = "../../home/somebody/.cache/deno/npm/registry.npmjs.org";

Deno.test("a bundle names packages by name and version, not by where they lay", () => {
  assert.equal(
    withoutPlaces(
      `// ${place}/@optique/core/1.3.6/dist/message.js\nlet a;\n  // ${place}/pg/8.23.1/lib/index.js\n  "${place}/pg/8.23.1/lib/client.js"(exports, module) {\n`,
    ),
    '// npm:@optique/core@1.3.6/dist/message.js\nlet a;\n  // npm:pg@8.23.1/lib/index.js\n  "npm:pg@8.23.1/lib/client.js"(exports, module) {\n',
  );
});

Deno.test("a bundle's code and its notes about our own modules stay as they are", () => {
  const code = `// src/engine/lane.ts\nconst path = "${place}/pg/8.23.1/lib/index.js";\n// see https://example.org/npm/notes for more\n`;
  assert.equal(withoutPlaces(code), code);
});

Deno.test("files that are imported on demand are named only then; other imports stay as they are", () => {
  assert.equal(
    namedWhenWanted('const { run } = await import("./run-AB12.js");'),
    'const { run } = await import(new URL("./run-AB12.js", import.meta.url).href);',
  );
  for (
    const code of [
      'import("@node-rs/crc32")',
      'import "./a.js";',
      'import { a } from "./a.js";',
      'reimport("./a.js")',
      'x.import("./a.js")',
    ]
  ) {
    assert.equal(namedWhenWanted(code), code);
  }
});
