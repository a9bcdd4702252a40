package pcctl

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/packetcache/packetcache/eventlog"
)

const systemLog = "the Event Log"

// eventQuery chooses the service's events (learn.microsoft.com, "Consuming
// Events").
const eventQuery = "*[System[Provider[@Name='" + eventlog.Source + "']]]"

// newestEvents are the newest n events of the service, the newest first.
func newestEvents(ctx context.Context, n int) ([]happened, error) {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(system, "wevtutil.exe"), "query-events", "Application", "/query:"+eventQuery,
		"/count:"+strconv.Itoa(n), "/reversedirection:true", "/format:xml", "/unicode:true")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, withHint(fmt.Errorf("%w: wevtutil: %w: %s", errNoLog, err, strings.TrimSpace(said.String())), hintElevate)
	}
	return readEventLog(out)
}

// eventsHidden is empty: who may not read the log gets an error.
func eventsHidden() string { return "" }
