#!/usr/bin/env bash
# Builds what a server needs to run, and nothing else, into a folder:
#   jre/          a Java runtime of the modules in use
#   app/          Penjing and its libraries, without libtorch
#   java.options  what the JVM is started with
#   bin/penjing   starts it
# Usage: deploy/runtime.sh FOLDER [--no-build]
# Needs a JDK of at least 25.0.3 in JAVA_HOME, and Maven unless --no-build is given.
set -euo pipefail

say() { printf '%s\n' "runtime.sh: $*" >&2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(dirname "$here")
target=${1:?"usage: deploy/runtime.sh FOLDER [--no-build]"}
jdk=${JAVA_HOME:?"set JAVA_HOME to a JDK of at least 25.0.3"}
minimum=25.0.3
version=$(sed -n 's/^JAVA_VERSION="\([0-9.]*\).*/\1/p' "$jdk/release")
if [ "$(printf '%s\n%s\n' "$minimum" "$version" | sort -V | head -n 1)" != "$minimum" ]; then
  say "$jdk is Java $version: set JAVA_HOME to a JDK of at least $minimum"
  exit 1
fi
if [ -e "$target" ]; then
  say "$target is there already: name a folder that is not, or remove it"
  exit 1
fi

if [ "${2:-}" != --no-build ]; then
  (cd "$home" && mvn -q -B -Dmaven.test.skip=true -Papp -pl cli -am package)
fi

mkdir -p "$target/app" "$target/bin"
cp "$home"/cli/target/penjing-cli-*.jar "$home"/cli/target/app/*.jar "$target/app/"
# libtorch trains; serving does without
rm -f "$target"/app/{pytorch,openblas,javacpp}-*.jar

# Modules in use. Jackson would serve java.desktop and java.sql if they were there, and does without.
modules=java.base,java.logging,java.management,java.net.http,java.xml,jdk.incubator.vector,jdk.management,jdk.unsupported
spare="java.desktop java.sql"
jars=$(printf '%s:' "$target"/app/*.jar)
needed=$("$jdk/bin/jdeps" --multi-release 25 --ignore-missing-deps --print-module-deps \
  -cp "${jars%:}" "$target"/app/*.jar 2>/dev/null | tail -n 1)
for module in ${needed//,/ }; do
  case ",$modules,${spare// /,}," in
    *",$module,"*) ;;
    *)
      say "the class path needs the module '$module' too: add it to the list in deploy/runtime.sh"
      exit 1
      ;;
  esac
done
"$jdk/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages \
  --compress zip-6 --output "$target/jre"
# shared classes, so that it starts faster
if ! "$target/jre/bin/java" -XX:+UseSerialGC -Xshare:dump >/dev/null 2>&1; then
  say "no archive of shared classes could be made: it will start slower"
fi

cp "$here/java.options" "$target/java.options"
cat >"$target/bin/penjing" <<'EOF'
#!/bin/sh
home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
# PENJING_JAVA_OPTS comes last and wins, for example -Xmx2g
# shellcheck disable=SC2086
exec "$home/jre/bin/java" "@$home/java.options" -Dpenjing.home="$home" ${PENJING_JAVA_OPTS:-} \
  -cp "$home/app/*" dev.penjing.cli.Main "$@"
EOF
chmod 755 "$target/bin/penjing"
say "$(du -sh "$target" | cut -f1) in $target: runtime $(du -sh "$target/jre" | cut -f1), application $(du -sh "$target/app" | cut -f1)"
