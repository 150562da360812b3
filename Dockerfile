# docker build -t ringfence . && docker run --rm -p 127.0.0.1:8765:8765 --env-file secrets.env -v ringfence:/state ringfence
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY pyproject.toml README.md LICENSE ringfence.py ringfence_installation.py ./
COPY server server
COPY tools tools
COPY prompts prompts
COPY guard guard
COPY clients clients
COPY sandbox sandbox
RUN uv venv /app && VIRTUAL_ENV=/app uv pip install --no-cache ".[notify,postgres]"

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 ringfence && install -d -o ringfence -m 700 /state
COPY --from=build /app /app
USER 10001
ENV PATH=/app/bin:$PATH RINGFENCE_STATE_FOLDER=/state RINGFENCE_LOG_FORMAT=json
VOLUME /state
EXPOSE 8765
# Listening beyond loopback needs RINGFENCE_HTTP__TOKENS; without one the container stops and says so.
ENTRYPOINT ["ringfence"]
CMD ["serve", "--http", "0.0.0.0:8765"]
