# The broker and the tracker by default; every other command of shoal as well:
#
#   docker build -t shoal .
#   docker run -p 1883:1883 shoal
#   docker run -v "$PWD:/data" shoal get ID --broker mqtt://HOST

FROM node:20-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm pack

FROM node:20-slim
RUN --mount=type=bind,from=build,source=/build,target=/build \
	npm install --global --omit=dev /build/shoal-*.tgz
# Tokens, keys and the audit log: what has to outlive a container.
RUN install -d -o node -g node -m 0700 /data
VOLUME /data
USER node
WORKDIR /data
# MQTT, and the page with the files by HTTP.
EXPOSE 1883 8080
# It is process 1, and ends by itself within two seconds of SIGTERM.
ENTRYPOINT ["shoal"]
CMD ["broker", "--lan", "--data", "/data"]
