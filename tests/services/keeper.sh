#!/bin/sh
# Waits for the process that owns a server to end, however it ends, then ends the server and removes its data.
# keeper.sh OWNER_PID FOLDER [STOP_COMMAND...]
owner=$1
folder=$2
shift 2
while kill -0 "$owner" 2>/dev/null; do sleep 0.5; done
if [ $# -gt 0 ]; then "$@"; fi
read -r pid _started 2>/dev/null <"$folder/pid"
# The id may have been given to somebody else since: only a process that names our folder is ours.
if [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$folder/"; then kill -9 "$pid"; fi
sleep 0.5
# What could not lie in the folder, because its server may not look into it.
if [ -f "$folder/elsewhere" ]; then rm -rf "$(cat "$folder/elsewhere")"; fi
rm -rf "$folder" "$folder.lock"
