/** What bench/socket_server.ts compares with: sends a file to whoever connects, in large writes, and does nothing else. */
const [path] = Deno.args;
const bytes = await Deno.readFile(path);
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.error(`listening on 127.0.0.1:${listener.addr.port}`);
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
for await (const connection of listener) {
  connection.setNoDelay(true);
  void (async () => {
    for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done, done + (128 << 10)));
    connection.close();
  })().catch(() => {});
}
