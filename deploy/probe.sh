# Whether this container works, for its health check: `probe.sh http` or `probe.sh pulse`.
# Shell alone: Python would take longer to start than the answer takes.
set -eu
case "$1" in
  http) # The API can serve: the database and the object store answer it.
    exec 3<>/dev/tcp/127.0.0.1/8000
    printf 'GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
    read -r _ status _ <&3
    test "$status" = 200
    ;;
  pulse) # The worker has loaded what it needs, and its process has not stopped.
    test -n "$(find "$LESIONGAN_PULSE_FILE" -newermt '30 seconds ago')"
    ;;
  *)
    echo "probe.sh: http or pulse, not $1" >&2
    exit 2
    ;;
esac
