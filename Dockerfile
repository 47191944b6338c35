# The series on two CPU cores or more:
#   docker build -t vae-segments-edges .
#   docker run --rm -p 8888:8888 vae-segments-edges
# With an NVIDIA card (not tried on one), and then the kernel vae-gpu:
#   docker build --build-arg EXTRA=gpu -t vae-segments-edges .
#   docker run --rm --gpus all -p 8888:8888 vae-segments-edges
FROM python:3.11-slim

RUN apt-get update && apt-get install -y --no-install-recommends git make
WORKDIR /project
COPY . .
RUN make setup
ARG EXTRA=
RUN test -z "$EXTRA" || .uv/bin/uv pip install -q --python .venv/bin/python -c requirements.txt -e ".[$EXTRA]"

EXPOSE 8888
CMD [".venv/bin/jupyter", "lab", "notebooks", "--ip=0.0.0.0", "--no-browser", "--allow-root"]
