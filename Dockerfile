FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM dependencies AS build
COPY . .
RUN node --import tsx scripts/build-workflows.ts dist/workflows.js

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    ORDERHUB_DATA=/data \
    ORDERHUB_DEMO=false \
    ORDERHUB_HOST=0.0.0.0 \
    ORDERHUB_WORKFLOW_BUNDLE=/app/dist/workflows.js
WORKDIR /app
RUN install --directory --owner=node --group=node --mode=0700 /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY . .
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.ORDERHUB_PORT || 8080) + '/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=32", "--heap-growing-percent=50", "--import", "tsx", "main.ts"]
CMD ["--roles", "api,worker,relay"]
