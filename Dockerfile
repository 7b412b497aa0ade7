# syntax=docker/dockerfile:1
# The gateway and the dashboard that it serves: a static folder beside one program, without a shell.

FROM node:24-bookworm-slim AS dashboard
WORKDIR /src/pwa
COPY pwa/package.json pwa/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-progress
COPY pwa ./
RUN npm run build

# The release that rust-toolchain.toml names.
FROM rust:1.95.0-bookworm AS gateway
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY shared shared
COPY publisher publisher
COPY gateway gateway
# Members of the workspace, which cargo wants to see.
COPY loadtest loadtest
COPY chaos chaos
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p gateway && \
    strip --strip-debug -o /gateway target/release/gateway

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Realtime gateway" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=dashboard /src/pwa/dist /srv/dashboard
COPY --from=gateway /gateway /usr/local/bin/gateway
ENV GATEWAY_STATIC_DIR=/srv/dashboard
EXPOSE 8080 9090
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/gateway"]
