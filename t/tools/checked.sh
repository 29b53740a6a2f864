#!/bin/sh
# Runs a command whose programs, and the nginx that it finds in PATH, are watched by a checker; fails
# when any of their processes, workers included, left a report.
#     checked.sh asan|valgrind folder nginx command ...
set -eu
kind=$1 dir=$2 nginx=$(command -v "$3")
shift 3
rm -rf "$dir"
mkdir -p "$dir/bin" "$dir/reports"
chmod 1777 "$dir/reports"   # workers run as another user
dir=$(cd "$dir" && pwd) tools=$(cd "$(dirname "$0")" && pwd)
case $nginx in /*) ;; *) nginx=$PWD/$nginx ;; esac

case $kind in
    asan)
        log="log_path=$dir/reports/$kind"
        ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:$log"
        UBSAN_OPTIONS="print_stacktrace=1:$log"
        LSAN_OPTIONS="suppressions=$tools/lsan.supp:print_suppressions=0"
        export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
        run="env ASAN_OPTIONS=$ASAN_OPTIONS UBSAN_OPTIONS=$UBSAN_OPTIONS LSAN_OPTIONS=$LSAN_OPTIONS" ;;
    valgrind)
        run="valgrind -q --leak-check=full --show-leak-kinds=definite \
             --suppressions=$tools/valgrind.supp --log-file=$dir/reports/%p" ;;
esac
printf '#!/bin/sh\nexec %s %s "$@"\n' "$run" "$nginx" >"$dir/bin/nginx"
chmod +x "$dir/bin/nginx"

failed=0
export AUTH_JS_CHECKED=$kind
PATH=$dir/bin:$PATH "$@" || failed=$?
for report in "$dir"/reports/*; do
    [ -s "$report" ] || continue
    echo "--- $report" >&2
    cat "$report" >&2
    failed=1
done
exit $failed
