package pcctl

import (
	"fmt"
	"strconv"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// scriptArguments are those of ReadRemotePacketCache.ps1. Without a file it chooses
// the name that a dump has by default.
func (r *remote) scriptArguments(req control.DumpRequest, file string) []string {
	args := []string{r.host}
	if r.user != "" {
		args = append(args, r.user)
	}
	add := func(name, value string, given bool) {
		if given {
			args = append(args, "-"+name, value)
		}
	}
	add("Format", string(req.Format), true)
	add("Since", req.Since.Format(time.RFC3339), !req.Since.IsZero())
	add("Until", req.Until.Format(time.RFC3339), !req.Until.IsZero())
	add("Last", fmt.Sprintf("%ds", int64(req.Last/time.Second)), req.Last != 0)
	add("Filter", req.Filter, req.Filter != "")
	add("Limit", strconv.FormatInt(req.Limit, 10), req.Limit != 0)
	add("OutFile", file, file != "")
	return args
}

// A silentError is one that another program has told.
type silentError struct{ code int }

func (e *silentError) Error() string { return fmt.Sprintf("exit code %d", e.code) }
