# The image of both processes; the chart in helm/headrace says which one a pod is.
#
#     docker build -t headrace:0.1.0 .
#     docker run --rm headrace:0.1.0 --help
#
# The version of Python is the one that requirements/run.txt was resolved for.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/headrace
WORKDIR /app
# Requirements first: they change less often than the code, so their layer is kept.
COPY requirements/run.txt requirements/run.txt
RUN /opt/headrace/bin/pip install --require-hashes --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY adapters adapters
COPY mappings mappings
# As `make setup` does it: the build backend is pinned in run.txt, nothing is fetched unpinned.
RUN /opt/headrace/bin/pip install --no-deps --no-build-isolation --editable . \
    # The file system is read-only later, so that Python could not keep what it compiles.
    && /opt/headrace/bin/python -m compileall -q gateway adapters

FROM python:${PYTHON}-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Headrace" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/headrace/headrace"
# A number, because Kubernetes cannot tell from a name that it is not root (runAsNonRoot).
RUN groupadd --system --gid 10001 headrace \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin headrace \
    && install -d -o 10001 -g 10001 /var/lib/headrace
COPY --from=build /opt/headrace /opt/headrace
COPY --from=build /app /app
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
EXPOSE 8080 8081
ENTRYPOINT ["headrace"]
CMD ["serve", "--config", "/etc/headrace/headrace.yaml"]
