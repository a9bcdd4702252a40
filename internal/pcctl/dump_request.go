package pcctl

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
)

// dumpRequest reads which packets are wanted, and how.
func dumpRequest(c *cli.Context) (control.DumpRequest, error) {
	req := control.DumpRequest{
		Format: control.Format(strings.ToLower(c.String("format"))),
		Filter: c.String("filter"),
		SHA256: true,
		Follow: c.Bool("follow"),
	}
	if req.Format != control.PCAP && req.Format != control.PCAPNG {
		return req, fmt.Errorf("--format: %q is neither pcap nor pcapng", c.String("format"))
	}
	if c.IsSet("interface") {
		return req, withHint(errors.New("--interface: a dump has the packets of all interfaces"),
			"with --format pcapng it names the interface of each packet: tshark -r FILE -Y 'frame.interface_name == \"eth0\"' shows those of one.")
	}
	now := time.Now()
	for name, to := range map[string]*time.Time{"since": &req.Since, "until": &req.Until} {
		if !c.IsSet(name) {
			continue
		}
		t, err := parseTime(c.String(name), now, req.Follow && name == "until")
		if err != nil {
			return req, fmt.Errorf("--%s: %w", name, err)
		}
		*to = t
	}
	if c.IsSet("last") {
		age, err := control.ParseAge(c.String("last"))
		if err != nil {
			return req, fmt.Errorf("--last: %w", err)
		}
		req.Last = age
	}
	switch {
	case req.Last != 0 && !req.Since.IsZero():
		return req, errors.New("--since and --last exclude each other")
	case !req.Since.IsZero() && !req.Until.IsZero() && req.Until.Before(req.Since):
		return req, errors.New("--until is before --since")
	case req.Follow && !req.Until.IsZero() && !req.Until.After(now):
		return req, withHint(fmt.Errorf("--until: %s is past, and --follow goes on with what comes", stamp(req.Until)),
			"take one of them away.")
	}
	if c.IsSet("limit") {
		size, err := config.ParseSize(c.String("limit"))
		if err != nil {
			return req, fmt.Errorf("--limit: %w", err)
		}
		if size == 0 {
			return req, errors.New("--limit: 0 leaves room for nothing")
		}
		req.Limit = int64(size)
	}
	return req, nil
}

// timeLayouts are what a time may look like; those without a zone are local.
var timeLayouts = []string{
	"2006-01-02T15:04:05", "2006-01-02 15:04:05",
	"2006-01-02T15:04", "2006-01-02 15:04",
	"2006-01-02",
}

// parseTime reads a time. One of a day alone is the last before now, or the next one.
func parseTime(s string, now time.Time, next bool) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		year, month, day := now.Local().Date()
		on := func(day int) time.Time {
			return time.Date(year, month, day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.Local)
		}
		switch at := on(day); {
		case next && !at.After(now):
			return on(day + 1), nil
		case !next && at.After(now):
			return on(day - 1), nil
		default:
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-03-01T09:30:00+01:00, \"2026-03-01 09:30\", 2026-03-01 or 23:00", s)
}
