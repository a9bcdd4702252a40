#!/bin/sh
# Makes the prefix that the others are copies of: Windows after its
# installation, and Npcap, whose place Wine's own wpcap.dll takes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
timeout 300 "$here/wine.sh" wineboot --init
timeout 60 "$here/wine.sh" wineserver -w
system32=$WINEPREFIX/drive_c/windows/system32
mkdir "$system32/Npcap"
cp "$system32/wpcap.dll" "$system32/Npcap/"
