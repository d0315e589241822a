# Build stage: one binary. Run stage: nothing but it, as an unprivileged user.
FROM denoland/deno:2.9.6 AS build
WORKDIR /build
COPY deno.json deno.lock ./
COPY scripts scripts
COPY src src
RUN deno install --frozen && deno task compile --output /build/millrace

FROM debian:bookworm-slim
RUN useradd --uid 10001 --create-home --home-dir /data millrace
COPY --from=build /build/millrace /usr/local/bin/millrace
USER 10001
WORKDIR /data
VOLUME ["/data"]
# SIGTERM: sources stop, the open epoch is finished, the checkpoint is written.
STOPSIGNAL SIGTERM
ENTRYPOINT ["millrace"]
CMD ["--help"]
