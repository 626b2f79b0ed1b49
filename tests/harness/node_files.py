"""The files of one Cassandra node: its configuration and the three commands that operate it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_YAML = """\
# Configuration of one node of a test cluster.
cluster_name: {cluster_name}
num_tokens: {num_tokens}
# Given tokens, evenly interleaved over the nodes, let all nodes start at once: nodes that bootstrap may not.
initial_token: {initial_token}
auto_bootstrap: false
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: GossipingPropertyFileSnitch
# A node that holds the data reads its own copy, so that a client of this node sees what this node has.
dynamic_snitch: false

seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "{seeds}"
listen_address: {address}
rpc_address: {address}
storage_port: {storage_port}
native_transport_port: {cql_port}

data_file_directories:
  - {root}/data
commitlog_directory: {root}/commitlog
hints_directory: {root}/hints
saved_caches_directory: {root}/saved_caches
cdc_raw_directory: {root}/cdc_raw

authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
user_defined_functions_enabled: true
materialized_views_enabled: true
sasi_indexes_enabled: true

commitlog_sync: periodic
commitlog_sync_period: 1000ms
commitlog_segment_size: 4MiB
commitlog_total_space: 256MiB
hints_flush_period: 1000ms
auto_snapshot: true
concurrent_reads: 4
concurrent_writes: 4
concurrent_counter_writes: 4
concurrent_compactors: 1
"""

_LOGBACK = """\
<configuration scan="false">
  <appender name="file" class="ch.qos.logback.core.FileAppender">
    <file>{directory}/logs/system.log</file>
    <encoder><pattern>%-5level [%thread] %date{{ISO8601}} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="file"/></root>
</configuration>
"""

# nodetool prints its log on standard output unless told otherwise.
_LOGBACK_TOOLS = """\
<configuration>
  <appender name="stderr" class="ch.qos.logback.core.ConsoleAppender">
    <target>System.err</target>
    <encoder><pattern>%-5level %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="stderr"/></root>
</configuration>
"""

# The first compiler alone, the serial collector and the shortened waits halve the time of a start.
_JVM_OPTIONS = """\
-Xms64m
-Xmx512m
-Xss512k
-XX:MaxDirectMemorySize=256m
-XX:+UseSerialGC
-XX:TieredStopAtLevel=1
-XX:+PerfDisableSharedMem
-XX:+ExitOnOutOfMemoryError
-Djava.net.preferIPv4Stack=true
-Djava.io.tmpdir={directory}/tmp
-Dio.netty.tryReflectionSetAccessible=true
-Dio.netty.allocator.useCacheForAllThreads=true
-Dio.netty.allocator.maxOrder=11
-Dlogback.configurationFile=file://{directory}/conf/logback.xml
-Dcassandra-rackdc.properties=file://{directory}/conf/cassandra-rackdc.properties
-Dcassandra.jmx.local.port={jmx_port}
-Dcassandra.storagedir={root}
-Dcassandra.logdir={directory}/logs
-Dcassandra.skip_wait_for_gossip_to_settle=0
-Dcassandra.superuser_setup_delay_ms=0
-Dcassandra.shutdown_announce_in_ms=0
"""

# What Cassandra's own start script opens to it on Java 17.
_EXPORTS = """
java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch java.base/java.lang.ref
java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server
java.sql/java.sql jdk.unsupported/sun.misc jdk.attach/sun.tools.attach
""".split()
_OPENS = """
java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref java.base/jdk.internal.reflect
java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.util.jar
jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io java.base/java.lang.reflect
java.base/java.lang java.base/java.util java.base/java.nio java.base/java.net java.base/java.math
java.base/java.util.concurrent java.base/java.util.concurrent.atomic java.rmi/sun.rmi.transport.tcp
""".split()

_START = """\
#!/bin/bash
# start-cassandra [YAML]: starts this node in the background, with YAML or its own configuration, and returns at once.
set -eu
node={directory}
yaml=${{1:-$node/conf/cassandra.yaml}}
. "$node/bin/pid"
if running; then echo "Cassandra runs already, as process $pid" >&2; exit 1; fi
[ -r "$yaml" ] || {{ echo "cannot read $yaml" >&2; exit 1; }}
as_user=()
[ "$(id -u)" != 0 ] || as_user=(setpriv --reuid={user} --regid={user} --clear-groups --inh-caps=-all --bounding-set=-all)
# Nothing of whoever starts the node may stay open in it: no pipe that somebody reads to its end, no lock.
for fd in $(ls /proc/self/fd); do [ "$fd" -le 2 ] || eval "exec $fd>&-" 2>/dev/null || true; done
# Without this limit Cassandra locks its heap into memory.
ulimit -l 64
cd "$node"
setsid "${{as_user[@]}}" {java} @conf/jvm.options "-Dcassandra.config=file://$yaml" \\
  -cp "$node/conf:{lib}/*" org.apache.cassandra.service.CassandraDaemon </dev/null >logs/stdout.log 2>&1 &
echo $! >run/cassandra.pid
"""

_STOP = """\
#!/bin/bash
# stop-cassandra: asks this node to end, waits up to a minute, then kills it. A node that does not run is success.
set -eu
. {directory}/bin/pid
running || exit 0
kill -TERM "$pid" 2>/dev/null || true
for _ in {{1..600}}; do
  running || exit 0
  sleep 0.1
done
echo "Cassandra (process $pid) did not end in 60 s: killing it" >&2
kill -KILL "$pid"
while running; do sleep 0.1; done
"""

_PID = """\
# Sourced. running: true, with $pid set, while the process of the pid file is this node. A process that is not yet Java
# has start-cassandra's command line, a zombie none, and neither has, for a moment, one that is just being executed.
running() {{
  local words
  for _ in {{1..50}}; do
    pid=$(cat {directory}/run/cassandra.pid 2>/dev/null) || return 1
    words=$(tr '\\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
    [ -z "$words" ] || break
    ! grep -q '^State:.[ZX]' "/proc/$pid/status" 2>/dev/null || return 1
    sleep 0.02
  done
  grep -qF "{directory}/" <<<"$words"
}}
"""

_NODETOOL = """\
#!/bin/bash
# nodetool ARGUMENT...: Cassandra's nodetool, connected to this node.
exec {java} -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto \\
  --add-exports=java.base/sun.nio.ch=ALL-UNNAMED --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED \\
  --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \\
  -Duser.home={directory}/tmp -Dcassandra.storagedir={directory}/tmp -Dcassandra.logdir={directory}/tmp \\
  -Dlogback.configurationFile=file://{directory}/conf/logback-tools.xml \\
  -cp "{lib}/*" org.apache.cassandra.tools.NodeTool -h 127.0.0.1 -p {jmx_port} "$@"
"""


@dataclass(frozen=True)
class NodeSettings:
    """Everything that tells one node's files from another's."""

    cluster_name: str
    directory: Path
    lib: Path
    java: Path
    user: str
    address: str
    cql_port: int
    storage_port: int
    jmx_port: int
    seeds: str
    datacenter: str
    rack: str
    tokens: tuple[int, ...]
    jvm_options: tuple[str, ...]
    more_yaml: str

    @property
    def root(self) -> Path:
        return self.directory / "root"


def write_node_files(settings: NodeSettings) -> None:
    """Writes conf/ and bin/ below the node's directory."""
    values = {
        **vars(settings),
        "root": settings.root,
        "num_tokens": len(settings.tokens),
        "initial_token": ",".join(str(token) for token in settings.tokens),
    }
    conf, bin_directory = settings.directory / "conf", settings.directory / "bin"
    conf.mkdir(parents=True)
    bin_directory.mkdir()
    (conf / "cassandra.yaml").write_text(_YAML.format(**values) + settings.more_yaml)
    (conf / "cassandra-rackdc.properties").write_text(f"dc={settings.datacenter}\nrack={settings.rack}\n")
    (conf / "logback.xml").write_text(_LOGBACK.format(**values))
    (conf / "logback-tools.xml").write_text(_LOGBACK_TOOLS)
    (conf / "jvm.options").write_text(_jvm_options(settings, values))
    (bin_directory / "pid").write_text(_PID.format(**values))
    for name, text in (("start-cassandra", _START), ("stop-cassandra", _STOP), ("nodetool", _NODETOOL)):
        script = bin_directory / name
        script.write_text(text.format(**values))
        script.chmod(0o755)


def _jvm_options(settings: NodeSettings, values: dict[str, object]) -> str:
    agent = next(settings.lib.glob("jamm-*.jar"))
    lines = [
        *_JVM_OPTIONS.format(**values).splitlines(),
        f"-javaagent:{agent}",
        "-Djdk.attach.allowAttachSelf=true",
        *(f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTS),
        *(f"--add-opens={name}=ALL-UNNAMED" for name in _OPENS),
        *settings.jvm_options,
    ]
    return "\n".join(lines) + "\n"
