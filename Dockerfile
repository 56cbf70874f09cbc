# sweep in a container; CPU and GPU from this one file.
#
#   docker build -t sweep .
#   docker build -t sweep:gpu --build-arg REQUIREMENTS=requirements/gpu.txt .
#
# Build secrets, both optional, for networks that need them; neither ends up in the image:
#   ca   a file of CA certificates to trust while packages are fetched
#   env  a file of NAME=value lines for pip and uv, such as PIP_INDEX_URL and UV_DEFAULT_INDEX

ARG BASE_IMAGE=python:3.12-slim-bookworm

# ---- build: the dependencies in /opt/sweep, the project's own files in /opt/project ------------
FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    UV_LINK_MODE=copy \
    UV_NO_CONFIG=1 \
    UV_PYTHON_DOWNLOADS=never

WORKDIR /src

# uv gets a folder of its own, so that the image carries neither it nor pip.
# Hash-checked and byte-compiled: TensorFlow imports in a third of the time. The compiled files
# are not compared with their sources, because the image is never edited.
ARG REQUIREMENTS=requirements/cpu.txt
COPY requirements/uv.txt ${REQUIREMENTS} requirements/
RUN --mount=type=secret,id=ca --mount=type=secret,id=env \
    --mount=type=cache,target=/root/.cache/uv \
    set -eu; \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca SSL_CERT_FILE=/run/secrets/ca; fi; \
    if [ -s /run/secrets/env ]; then set -a; . /run/secrets/env; set +a; fi; \
    python3 -m venv /opt/uv; \
    /opt/uv/bin/pip install --quiet --require-hashes -r requirements/uv.txt; \
    python3 -m venv --without-pip /opt/sweep; \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH /opt/uv/bin/uv pip install --python /opt/sweep/bin/python \
        --no-build --compile-bytecode --require-hashes -r "$REQUIREMENTS"

# The project, as the wheel that anyone else would install. Its build backend is hash-checked too.
COPY requirements/dev.txt requirements/
COPY pyproject.toml README.md LICENSE ./
COPY search_spaces/ search_spaces/
COPY sweep/ sweep/
RUN --mount=type=secret,id=ca --mount=type=secret,id=env \
    --mount=type=cache,target=/root/.cache/uv \
    set -eu; \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    if [ -s /run/secrets/env ]; then set -a; . /run/secrets/env; set +a; fi; \
    /opt/uv/bin/uv build --quiet --python /opt/sweep/bin/python --wheel --out-dir /opt/wheel \
        --build-constraints requirements/dev.txt --require-hashes; \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH /opt/uv/bin/uv pip install --python /opt/sweep/bin/python \
        --prefix /opt/project --offline --no-deps --compile-bytecode /opt/wheel/*.whl

# ---- the image: the virtual environment and a user, nothing to build with ----------------------
FROM ${BASE_IMAGE}
# The official Python images ship their standard library uncompiled.
# Any user may write to the volumes, so that `--user "$(id -u)"` works.
RUN set -eu; \
    stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"; \
    python3 -m compileall -q -j 0 -x 'site-packages|/tests?/' "$stdlib"; \
    groupadd --gid 1000 sweep; \
    useradd --no-log-init --uid 1000 --gid 1000 --home-dir /tmp --no-create-home sweep; \
    install --directory --mode=1777 /data /results; \
    install --directory /spaces

# Two layers: a change of the code leaves the large one as it is.
COPY --from=build /opt/sweep /opt/sweep
COPY --from=build /opt/project /opt/sweep

# The only places written to are /data, /results and /tmp: the root may be read-only.
# A host with NVIDIA's container toolkit lends the driver's compute libraries and nvidia-smi.
ENV PATH=/opt/sweep/bin:$PATH \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SWEEP_CACHE=/data \
    XDG_CACHE_HOME=/data/cache \
    SWEEP_RESULTS=/results \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sweep" \
      org.opencontainers.image.description="Hyperband sweeps on Keras Tuner that say which capacity and which regularisation generalise best, and how sure that is" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"

USER 1000:1000
WORKDIR /spaces
VOLUME ["/data", "/results"]

# SIGTERM ends the epoch, saves the state and exits 143 within 10 seconds.
STOPSIGNAL SIGTERM

# Starts the program and reads the results' databases, without TensorFlow.
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s --retries=3 \
    CMD ["sweep", "ls"]

ENTRYPOINT ["sweep"]
CMD ["--help"]
