#!/bin/sh
# Run once by InfluxDB's own image after its set-up: by this name and password Grafana may read the bucket, in InfluxQL. The
# mapping that InfluxQL needs, and the buckets of the coarser copies, are made by `lianfang telemetry init`.
set -eu
influx v1 auth create --org "$DOCKER_INFLUXDB_INIT_ORG" --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID" \
    --username grafana --password "$(cat /run/secrets/influxdb_grafana)"
