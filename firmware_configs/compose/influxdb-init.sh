#!/bin/sh
# Run once by InfluxDB's own image after its set-up: InfluxQL, in which hub and Grafana ask, needs the bucket by this name.
set -eu
influx v1 dbrp create --db lianfang --rp autogen --default --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID"
