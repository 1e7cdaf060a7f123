# The hub, from this repository and its lock: versions and hashes, and pip's own place to get them from.
FROM python:3.11.13-slim-bookworm AS build
RUN python -m venv /opt/lianfang
COPY requirements/hub.lock /src/requirements/hub.lock
RUN /opt/lianfang/bin/pip install --no-cache-dir --require-hashes -r /src/requirements/hub.lock
COPY . /src
RUN /opt/lianfang/bin/pip install --no-cache-dir --no-deps --no-build-isolation /src

FROM python:3.11.13-slim-bookworm
COPY --from=build /opt/lianfang /opt/lianfang
RUN useradd --system --uid 10001 --home-dir /var/lib/lianfang --shell /usr/sbin/nologin lianfang \
    && install -d -m 700 -o lianfang -g lianfang /var/lib/lianfang
ENV PATH=/opt/lianfang/bin:$PATH
USER lianfang
VOLUME /var/lib/lianfang
ENTRYPOINT ["lianfang", "hub"]
CMD ["run", "/etc/lianfang/hub.toml"]
